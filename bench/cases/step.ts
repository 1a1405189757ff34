import { OrderedProcess } from '../harness/ordered-process.ts';
import type { StepFigures, StepOptions, StepOrders } from '../step/step-main.ts';
import type { BenchCase } from '../suite/bench-case.ts';

const script = new URL('../step/step-main.js', import.meta.url);

/** Measured on this kind of machine some time ago (two cores, Node's 20.20.2), and not in this run. */
const etcdCore = { 1: 115_000, 100: 900_000 } as const;
const commandBytes = 128;

/**
 * `step` and nothing else: three cores in one thread, messages arrive at once, disks and machines are done at once. Each
 * length of the log has a process of its own.
 */
export const stepCase: BenchCase = {
  title: 'step: three cores in memory, no runtime',
  isDefault: true,
  async run(options, findings) {
    const lengths = options.isQuick ? [1e3, 1e5] : [1e3, 1e4, 1e5, 1e6, 1e7];
    const singles: StepFigures[] = [];
    findings.note(
      `"etcd's core, quoted" is what etcd's own core did in Go on this kind of machine, not in this run.`,
    );
    for (const perBatch of [1, 100] as const) {
      for (const entries of lengths) {
        findings.progress(`${perBatch} a batch, ${entries} entries in the log`);
        const figures = await measured({ suite: options, perBatch, entries });
        if (perBatch === 1) singles.push(figures);
        findings.row(figures.row);
        const limit = options.timesEtcd * etcdCore[perBatch];
        const what = `${figures.row.case}, commits a second`;
        findings.bar({ what, figure: figures.row.perSecond, unit: '', must: 'atLeast', limit });
      }
      const quoted = { min: etcdCore[perBatch], max: etcdCore[perBatch] };
      findings.row({
        ...{
          case: `step, ${perBatch} a batch`,
          system: "etcd's core, quoted",
          outstanding: 1,
          bytes: commandBytes,
        },
        ...{ perSecond: etcdCore[perBatch], p50Ms: null, p99Ms: null, spread: quoted, samples: 0 },
        ...{ cpuUs: null, clientsCpuUs: null, flushesPerSecond: null },
      });
    }
    const [short, long] = [singles[0], singles.at(-1)];
    if (short === undefined || long === undefined) return;
    const bar = { unit: ' ×', must: 'atMost', limit: 1 } as const;
    findings.bar({
      ...bar,
      what: 'calls of step for a write, longest log by shortest',
      figure: long.steps / short.steps,
    });
    findings.bar({
      ...bar,
      what: 'values in three states, longest log by shortest',
      figure: long.values / short.values,
    });
  },
};

async function measured(options: StepOptions): Promise<StepFigures> {
  const child = new OrderedProcess<StepOrders, StepOptions>('step', script, options);
  await child.start();
  try {
    return await child.do('measure');
  } finally {
    await child.kill();
  }
}
