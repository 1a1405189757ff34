import { crc32, encodePayload, type Write } from 'rxraft/core';
import { countValues } from '../step/count-values.ts';
import { ThreeCores } from '../step/three-cores.ts';
import type { BenchCase } from '../suite/bench-case.ts';
import { rateRow } from '../suite/rate.ts';

/** Measured on this kind of machine some time ago (two cores, Node's 20.20.2), and not in this run. */
const etcdCore = { 1: 115_000, 100: 900_000 } as const;
const commandBytes = 128;
const fillBatch = 1_000;

/** `step` and nothing else: three cores in one thread, messages arrive at once, disks and machines are done at once. */
export const stepCase: BenchCase = {
  title: 'step: three cores in memory, no runtime',
  isDefault: true,
  async run(options, findings) {
    const lengths = options.isQuick ? [1e3, 1e5] : [1e3, 1e4, 1e5, 1e6, 1e7];
    const shapes: { readonly steps: number; readonly values: number }[] = [];
    findings.note(
      `"etcd's core, quoted" is what etcd's own core did in Go on this kind of machine, not in this run.`,
    );
    for (const perBatch of [1, 100] as const) {
      for (const length of lengths) {
        findings.progress(`${perBatch} a batch, ${length} entries in the log`);
        const cores = new ThreeCores({ groupsCompletions: false });
        const next = writer(perBatch);
        fill(cores, length);
        if (perBatch === 1) shapes.push(shapeOf(cores, next));
        const about = { system: 'rxraft', outstanding: 1, bytes: commandBytes };
        const row = rateRow(
          options,
          { ...about, case: `step, ${perBatch} a batch, ${length} entries` },
          () => {
            cores.write(next());
            cores.settle();
            return perBatch;
          },
        );
        findings.row(row);
        const limit = options.timesEtcd * etcdCore[perBatch];
        const what = `step, ${perBatch} a batch, ${length} entries, commits a second`;
        findings.bar({ what, figure: row.perSecond, unit: '', must: 'atLeast', limit });
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
  },
};

/** Makes writes, all of the same payload: what they hold is no matter to the core. */
function writer(perBatch: number): () => Write {
  const payload = encodePayload(Array.from({ length: perBatch }, () => new Uint8Array(commandBytes)));
  const payloadChecksum = crc32(payload);
  let id = 0;
  return () => {
    id += 1;
    return { type: 'write', id, payload, payloadChecksum, count: perBatch };
  };
}

/** Makes the log so long, in large batches. */
function fill(cores: ThreeCores, entries: number): void {
  const payload = encodePayload(Array.from({ length: fillBatch }, () => new Uint8Array(1)));
  const payloadChecksum = crc32(payload);
  for (let held = 0; held < entries; held += fillBatch) {
    cores.write({ type: 'write', id: -1 - held, payload, payloadChecksum, count: fillBatch });
    cores.settle();
  }
}

/** What a write costs and leaves behind, counted. */
function shapeOf(cores: ThreeCores, next: () => Write): { steps: number; values: number } {
  const writes = 100;
  const before = cores.steps;
  for (let at = 0; at < writes; at++) {
    cores.write(next());
    cores.settle();
  }
  return { steps: (cores.steps - before) / writes, values: countValues(cores.states) };
}
