import { type EntryBatch, type Index, index0 } from '../core/index.ts';
import { KeyMap } from './key-map.ts';
import { keyBytes, keyText } from './key-text.ts';
import type { LogWrites } from './log-writes.ts';
import type { MachineBase, MachineWrites } from './machine-overlay.ts';
import type { FrozenMachine, Kept, StageWrites, Transaction } from './medium.ts';
import type { DiskImage } from './memory-disk.ts';

/** Carries out a transaction on an image. */
export function applyTransaction(image: DiskImage, { founding, log, machine, stage }: Transaction): void {
  if (founding !== undefined) {
    const { configuration } = founding;
    image.founding = founding;
    image.configurations = [{ index: index0, configuration }, ...image.configurations];
  }
  if (log !== undefined) applyLog(image, log);
  if (machine !== undefined) applyMachine(image, machine);
  if (stage !== undefined) applyStage(image, stage);
}

function applyLog(
  image: DiskImage,
  { hardState, truncateFrom, batches, log, configurations }: LogWrites,
): void {
  if (hardState !== undefined) image.hardState = hardState;
  if (truncateFrom !== undefined) image.batches.splice(batchAt(image.batches, truncateFrom));
  if (log.startIndex > image.log.startIndex) dropThrough(image.batches, log.startIndex);
  for (const batch of batches) image.batches.push(batch);
  image.log = log;
  image.configurations = configurations;
}

function dropThrough(batches: EntryBatch[], index: Index): void {
  const first = batches.findIndex((batch) => batch.index > index);
  batches.splice(0, first === -1 ? batches.length : first);
}

function applyMachine(image: DiskImage, { generation, entries, state }: MachineWrites): void {
  const data = generationOf(image, generation);
  for (const [key, value] of entries) {
    if (value === null) data.delete(key);
    else data.set(key, value);
  }
  if (state !== null) image.machine = state;
}

function applyStage(image: DiskImage, { state, entries }: StageWrites): void {
  image.stage = state;
  if (state === null) return;
  const data = generationOf(image, state.generation);
  for (const [key, value] of entries) data.set(keyText(key), value);
}

function generationOf({ generations }: DiskImage, generation: number): KeyMap<Uint8Array> {
  const known = generations.get(generation);
  if (known !== undefined) return known;
  const data = new KeyMap<Uint8Array>();
  generations.set(generation, data);
  return data;
}

/** By bisection: where the batch that holds an index stands. */
export function batchAt(batches: readonly EntryBatch[], index: Index): number {
  let low = 0;
  let high = batches.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((batches[middle] as EntryBatch).index <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Generations that are not kept. Batches before the log's start go with the transaction that moves it. */
export function generationsToSweep({ generations }: DiskImage, kept: Kept): readonly number[] {
  return [...generations.keys()].filter((generation) => !kept.generations.includes(generation));
}

/** The flushed data of a generation. */
export function machineOf(image: DiskImage, generation: number): MachineBase {
  return {
    get: (key) => image.generations.get(generation)?.get(keyText(key)),
    *range({ from, to }) {
      const bounds = { from: from && keyText(from), to: to && keyText(to) };
      for (const [text, value] of image.generations.get(generation)?.range(bounds) ?? [])
        yield [keyBytes(text), value];
    },
  };
}

/** A copy of the data in use: values are never changed, so it is one of the keys' order. */
export function freezeMachine(image: DiskImage): FrozenMachine {
  const state = image.machine;
  const data = new KeyMap<Uint8Array>();
  for (const [text, value] of image.generations.get(state.generation)?.entries() ?? []) data.set(text, value);
  return {
    state,
    *entriesFrom(from) {
      for (const [text, value] of data.range({ from: from && keyText(from) })) yield [keyBytes(text), value];
    },
    close: () => undefined,
  };
}
