import { type ConfigurationAt, index, term } from '../core/index.ts';
import type { SnapshotChunk, SnapshotSwitch, SnapshotView, Storage } from '../storage/storage.ts';
import {
  batchOf,
  claim,
  configurationBatch,
  configurationOf,
  entriesOf,
  key,
  type OpenPlace,
  request,
} from './storage-kit.ts';

export const snapshotConfiguration: ConfigurationAt = {
  index: index(7),
  configuration: configurationOf('x', 'y'),
};

/** A snapshot through index 8 of term 4, unless told otherwise. */
export function switchTo(
  transferId: string,
  { at = 8, inTerm = 4, keepsSuffix = false }: { at?: number; inTerm?: number; keepsSuffix?: boolean } = {},
): SnapshotSwitch {
  const configuration =
    at >= snapshotConfiguration.index ? snapshotConfiguration : { ...snapshotConfiguration, index: index(0) };
  const log = { term: term(inTerm), configuration, keepsSuffix };
  return { transferId, index: index(at), logTimeMs: at * 10, log };
}

export function chunksOf(view: SnapshotView): readonly SnapshotChunk[] {
  const chunks: SnapshotChunk[] = [];
  for (;;) {
    const chunk = view.chunk(chunks.length);
    if (chunk === undefined) return chunks;
    chunks.push(chunk);
  }
}

export async function receive(
  storage: Storage,
  transferId: string,
  chunks: readonly SnapshotChunk[],
): Promise<void> {
  const stage = await storage.stage(transferId);
  for (const chunk of chunks.slice(stage.nextChunk)) await stage.append(chunk);
}

/** Chunks of a machine with 30 keys `new…`, one of them large: three or more. */
export async function newChunks(place: OpenPlace): Promise<readonly SnapshotChunk[]> {
  await place.begin();
  await place.current.persist([request({ seq: 1, batches: [1, 2, 3].map((at) => batchOf(at)) })]);
  await place.apply(3, newData());
  const view = place.current.viewMachine();
  const chunks = chunksOf(view);
  view.close();
  claim('there are at least three chunks', chunks.length >= 3);
  return chunks;
}

export function newData(): Readonly<Record<string, string>> {
  const names = Array.from({ length: 30 }, (_, at) => `new${String(at).padStart(2, '0')}`);
  return Object.fromEntries(names.map((name, at) => [name, 'v'.repeat(at === 15 ? 300_000 : 10_000 + at)]));
}

export const newEntries = Object.entries(newData());
export const oldEntries = [
  ['new07', 'old value'],
  ['old', '1'],
];

/** A member with five entries, the second of them a configuration, and `oldEntries` applied through 3. */
export async function beginOld(place: OpenPlace): Promise<void> {
  await place.beginFounded();
  const batches = [batchOf(1), configurationBatch(2, ['a']), batchOf(3), batchOf(4), batchOf(5)];
  await place.current.persist([request({ seq: 1, batches })]);
  await place.apply(3, { new07: 'old value', old: '1' });
}

export function sameData(what: string, { machine }: OpenPlace, entries: readonly unknown[]): void {
  claim(
    `the machine has the right data, ${what}`,
    JSON.stringify(entriesOf(machine)) === JSON.stringify(entries),
  );
}

/** The bytes of a chunk, by hand. */
export function chunkBytes(...entries: readonly (readonly [string, string])[]): Uint8Array {
  const bytes = entries.flatMap(([name, value]) => [
    ...[0, name.length, 0, 0, 0, value.length],
    ...key(name),
    ...key(value),
  ]);
  return Uint8Array.of(1, ...bytes);
}

/** The bytes of a piece of a value, by hand. */
export function pieceBytes(name: string, part: string, { isEnd = false } = {}): Uint8Array {
  return Uint8Array.of(2, isEnd ? 1 : 0, 0, name.length, ...key(name), ...key(part));
}

export function tinyChunk(at: number): SnapshotChunk {
  return { number: 0, bytes: chunkBytes(['tiny', String(at)]), isLast: true };
}
