import { OrderedProcess } from '../harness/ordered-process.ts';
import { EtcdCore, type EtcdCoreProcess } from '../step/etcd-core.ts';
import type { Shape, StepOptions, StepOrders } from '../step/step-main.ts';
import type { BenchCase, Findings } from '../suite/bench-case.ts';
import { rowOfRates } from '../suite/rate.ts';
import type { Row } from '../suite/row.ts';
import type { SuiteOptions } from '../suite/suite-options.ts';

const script = new URL('../step/step-main.js', import.meta.url);

/** What etcd's core did on this kind of machine some time ago (two cores): the measure where it can't be measured. */
const quotedRates = { 1: 115_000, 100: 900_000 } as const;
const commandBytes = 128;

/**
 * `step` and nothing else: three cores in one thread, messages arrive at once, disks and machines are done at once. Each
 * length of the log has a process of its own. Beside it etcd's own core, driven alike; samples in turns.
 */
export const stepCase: BenchCase = {
  title: 'step: three cores in memory, no runtime',
  isDefault: true,
  async run(options, findings) {
    const lengths = options.isQuick ? [1e3, 1e5] : [1e3, 1e4, 1e5, 1e6, 1e7];
    findings.progress("compiling etcd's core");
    const compiled = EtcdCore.compile();
    const core = 'missing' in compiled ? null : compiled;
    if ('missing' in compiled) {
      findings.note(
        `etcd's core is not measured: ${compiled.missing}. "etcd's core, quoted" is what it did on this kind of machine, not in this run.`,
      );
    }
    const shapes: Shape[] = [];
    for (const perBatch of [1, 100] as const) {
      const etcd = core?.start(perBatch) ?? null;
      try {
        await etcd?.sample(options.warmUpMs);
        for (const entries of lengths) {
          findings.progress(`${perBatch} a batch, ${entries} entries in the log`);
          const shape = await measure({ perBatch, entries }, etcd, options, findings);
          if (perBatch === 1) shapes.push(shape);
        }
      } finally {
        await etcd?.kill();
      }
    }
    core?.remove();
    compareShapes(shapes, findings);
  },
};

/** One length of the log. */
async function measure(
  { perBatch, entries }: StepOptions & { readonly perBatch: 1 | 100 },
  etcd: EtcdCoreProcess | null,
  options: SuiteOptions,
  findings: Findings,
): Promise<Shape> {
  const cores = new OrderedProcess<StepOrders, StepOptions>('step', script, { perBatch, entries });
  await cores.start();
  try {
    const shape = await cores.do('shape');
    await cores.do('sample', options.warmUpMs);
    const [ours, theirs]: [number[], number[]] = [[], []];
    while (ours.length < options.samples) {
      ours.push(await cores.do('sample', options.sampleMs));
      if (etcd !== null) theirs.push(await etcd.sample(options.sampleMs));
    }
    const name = `step, ${perBatch} a batch, ${entries} entries`;
    const about = { case: name, outstanding: 1, bytes: commandBytes };
    const row = rowOfRates({ ...about, system: 'rxraft' }, ours);
    const beside =
      etcd === null ? quoted(about, perBatch) : rowOfRates({ ...about, system: "etcd's core" }, theirs);
    findings.row(row);
    findings.row(beside);
    findings.bar({
      what: `${name}, by etcd's core`,
      figure: row.perSecond / beside.perSecond,
      unit: ' ×',
      must: 'atLeast',
      limit: options.timesEtcd,
    });
    return shape;
  } finally {
    await cores.kill();
  }
}

function quoted(about: Pick<Row, 'case' | 'outstanding' | 'bytes'>, perBatch: 1 | 100): Row {
  const row = rowOfRates({ ...about, system: "etcd's core, quoted" }, [quotedRates[perBatch]]);
  return { ...row, samples: 0 };
}

/** What a write costs and leaves behind must not depend on the length of the log. */
function compareShapes(shapes: readonly Shape[], findings: Findings): void {
  const [short, long] = [shapes[0], shapes.at(-1)];
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
}
