import { type KeyText, keyText } from './key-text.ts';
import { machineKeyBytesMax } from './machine-overlay.ts';

/*
 * The bytes of a snapshot's chunk: a version, 1, and then keys and values in the order of the keys.
 *
 * | bytes | of each entry |
 * |---|---|
 * | 2 | length of the key, 1 to 1,900 |
 * | 4 | length of the value |
 * | | key |
 * | | value |
 *
 * Integers are big-endian.
 */
const version = 1;
const entryHeaderBytes = 6;

/** A chunk is closed before it would grow beyond this. What a single value has more is sent in pieces. */
export const chunkBytesMax = 256 * 1024;
/** So that small entries, too, are read and written within a few milliseconds. */
const chunkEntriesMax = 1024;

export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** The entries of one chunk, and where the next one begins; `undefined` after the last. */
export interface ChunkEntries {
  readonly entries: readonly Entry[];
  readonly next: Uint8Array | undefined;
}

/** Takes as many entries as belong into one chunk: one at least. The same entries make the same chunks. */
export function takeChunk(entries: Iterable<Entry>): ChunkEntries {
  const taken: Entry[] = [];
  let bytes = 1;
  for (const entry of entries) {
    const [key, value] = entry;
    bytes += entryHeaderBytes + key.byteLength + value.byteLength;
    const isFull = bytes > chunkBytesMax || taken.length === chunkEntriesMax;
    if (isFull && taken.length > 0) return { entries: taken, next: key };
    taken.push(entry);
  }
  return { entries: taken, next: undefined };
}

/** Whether an entry is more than a chunk holds. */
export function isLarge([key, value]: Entry): boolean {
  return 1 + entryHeaderBytes + key.byteLength + value.byteLength > chunkBytesMax;
}

/** The bytes of a chunk. */
export function encodeChunk(entries: readonly Entry[]): Uint8Array {
  const bytes = new Uint8Array(
    entries.reduce((sum, [key, value]) => sum + entryHeaderBytes + key.byteLength + value.byteLength, 1),
  );
  const view = new DataView(bytes.buffer);
  bytes[0] = version;
  let at = 1;
  for (const [key, value] of entries) {
    view.setUint16(at, key.byteLength);
    view.setUint32(at + 2, value.byteLength);
    bytes.set(key, at + entryHeaderBytes);
    bytes.set(value, at + entryHeaderBytes + key.byteLength);
    at += entryHeaderBytes + key.byteLength + value.byteLength;
  }
  return bytes;
}

/** What a chunk holds, sharing its bytes, and its last key. */
export interface DecodedChunk {
  readonly entries: readonly Entry[];
  readonly lastKey: KeyText;
}

/**
 * Reads a chunk; `undefined` if its bytes are not whole entries with keys that ascend, also from the chunk
 * before, which ended with `lastKey`. Takes time and memory in proportion to the chunk, never more.
 */
export function decodeChunk(bytes: Uint8Array, lastKey: KeyText): DecodedChunk | undefined {
  if (bytes[0] !== version) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Entry[] = [];
  let last = lastKey;
  for (let at = 1; at < bytes.byteLength; ) {
    const keyAt = at + entryHeaderBytes;
    if (keyAt > bytes.byteLength) return undefined;
    const valueAt = keyAt + view.getUint16(at);
    const end = valueAt + view.getUint32(at + 2);
    const isSound = valueAt > keyAt && valueAt - keyAt <= machineKeyBytesMax && end <= bytes.byteLength;
    if (!isSound) return undefined;
    const key = bytes.subarray(keyAt, valueAt);
    const text = keyText(key);
    if (text <= last) return undefined;
    last = text;
    entries.push([key, bytes.subarray(valueAt, end)]);
    at = end;
  }
  return { entries, lastKey: last };
}
