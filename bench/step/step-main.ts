/** The process of one measurement of `step`: what V8 has learnt from other logs would slow this one down. */
import { crc32, encodePayload, type Write } from 'rxraft/core';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import { sampler } from '../suite/rate.ts';
import { countValues } from './count-values.ts';
import { ThreeCores } from './three-cores.ts';

/** What is measured. */
export interface StepOptions {
  readonly perBatch: number;
  /** Entries in the log before it is. */
  readonly entries: number;
}

/** What a write costs and leaves behind, counted. */
export interface Shape {
  /** Calls of `step` for each write. */
  readonly steps: number;
  /** Values in the three states after some. */
  readonly values: number;
}

/** Orders of the process. */
export interface StepOrders {
  shape(): Shape;
  /** Commits a second, measured for so long. */
  sample(ms: number): number;
}

/** Bytes of each command that is measured. */
const commandBytes = 128;
const fillBatch = 1_000;

const { perBatch, entries } = await firstOrder<StepOptions>();
const cores = new ThreeCores({ groupsCompletions: false });
const next = writer(perBatch);
fill(cores, entries);
let sample: ((ms: number) => number) | null = null;
serveOrders<StepOrders>({
  shape: () => shapeOf(cores, next),
  sample: (ms) => {
    sample ??= sampler(() => {
      cores.write(next());
      cores.settle();
      return perBatch;
    });
    return sample(ms);
  },
});

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

function shapeOf(cores: ThreeCores, next: () => Write): Shape {
  const writes = 100;
  const before = cores.steps;
  for (let at = 0; at < writes; at++) {
    cores.write(next());
    cores.settle();
  }
  return { steps: (cores.steps - before) / writes, values: countValues(cores.states) };
}
