/** The process of one measurement of `step`: what V8 has learnt from other logs would slow this one down. */
import { crc32, encodePayload, type Write } from 'rxraft/core';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import { rateRow } from '../suite/rate.ts';
import type { Row } from '../suite/row.ts';
import type { SuiteOptions } from '../suite/suite-options.ts';
import { countValues } from './count-values.ts';
import { ThreeCores } from './three-cores.ts';

/** What is measured. */
export interface StepOptions {
  readonly suite: SuiteOptions;
  readonly perBatch: number;
  /** Entries in the log before it is. */
  readonly entries: number;
}

/** What it came to. */
export interface StepFigures {
  readonly row: Row;
  /** Calls of `step` for each write, and values in the three states after some. */
  readonly steps: number;
  readonly values: number;
}

/** Orders of the process. */
export interface StepOrders {
  measure(): StepFigures;
}

const commandBytes = 128;
const fillBatch = 1_000;

const options = await firstOrder<StepOptions>();
serveOrders<StepOrders>({ measure: () => measure(options) });

function measure({ suite, perBatch, entries }: StepOptions): StepFigures {
  const cores = new ThreeCores({ groupsCompletions: false });
  const next = writer(perBatch);
  fill(cores, entries);
  const shape = shapeOf(cores, next);
  const about = { system: 'rxraft', outstanding: 1, bytes: commandBytes };
  const row = rateRow(suite, { ...about, case: `step, ${perBatch} a batch, ${entries} entries` }, () => {
    cores.write(next());
    cores.settle();
    return perBatch;
  });
  return { row, ...shape };
}

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
