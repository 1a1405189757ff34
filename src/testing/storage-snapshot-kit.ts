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

export function badChunks(): readonly { readonly what: string; readonly bad: Uint8Array }[] {
  const good = chunkBytes(['e', '3'], ['f', '4']);
  const tooLong = Uint8Array.of(1, 0x07, 0x6d, 0, 0, 0, 0, ...new Uint8Array(1901));
  return [
    { what: 'is empty', bad: new Uint8Array() },
    { what: 'is of another version', bad: Uint8Array.of(9, ...good.subarray(1)) },
    { what: 'ends within a value', bad: good.subarray(0, -1) },
    { what: 'ends within a header', bad: good.subarray(0, 12) },
    { what: 'has keys that do not ascend', bad: chunkBytes(['f', '1'], ['e', '2']) },
    { what: 'has a key twice', bad: chunkBytes(['e', '1'], ['e', '2']) },
    { what: 'does not follow the chunk before', bad: chunkBytes(['c', '1']) },
    { what: 'repeats the last key', bad: chunkBytes(['d', '1']) },
    { what: 'has an empty key', bad: chunkBytes(['', '1']) },
    { what: 'has a key that is too long', bad: tooLong },
  ];
}

/** What must not follow a piece of the value under `d` that is not its last. */
export function badPieces(): readonly {
  readonly what: string;
  readonly bad: Uint8Array;
  readonly isLast?: boolean;
}[] {
  const good = pieceBytes('d', '3', { isEnd: true });
  return [
    { what: 'is of another key', bad: pieceBytes('e', '3') },
    { what: 'is empty', bad: pieceBytes('d', '') },
    { what: 'ends within its key', bad: Uint8Array.of(2, 1, 0, 9, ...key('d')) },
    { what: 'ends within its header', bad: good.subarray(0, 3) },
    { what: 'has no key', bad: pieceBytes('', '3') },
    { what: 'neither goes on nor ends', bad: Uint8Array.of(2, 2, ...good.subarray(2)) },
    { what: 'is not there: entries follow', bad: chunkBytes(['e', '3']) },
    { what: 'is the last of the snapshot and not of the value', bad: pieceBytes('d', '3'), isLast: true },
  ];
}
