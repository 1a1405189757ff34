import type { BatchKind, EntryBatch } from './batch.ts';
import { getUint53, putUint32, setUint53, uint32At } from './big-endian.ts';
import { type Crc32, crc32 } from './crc32.ts';
import type { Index, Term } from './types.ts';

/**
 * The byte form of a batch: the same on the wire and on disk. All integers are big-endian.
 *
 * | bytes | field |
 * |---|---|
 * | 0 | magic `0xB7` |
 * | 1 | format version, 1 |
 * | 2 | kind: 0 noop, 1 command, 2 configuration |
 * | 3 | 0 |
 * | 4–7 | group |
 * | 8–15 | index of the first entry |
 * | 16–23 | term |
 * | 24–31 | `logTimeMs` |
 * | 32–35 | count of entries |
 * | 36–39 | length of the payload in bytes |
 * | 40–43 | CRC-32 of the payload |
 * | 44–47 | CRC-32 of bytes 0–43 |
 * | 48– | payload: `count` times a u32 length and as many bytes |
 */
export const batchHeaderBytes = 48;

const magic = 0xb7;
const formatVersion = 1;
const kinds: readonly BatchKind[] = ['noop', 'command', 'configuration'];

/** Why bytes are not a batch. */
export type DecodeErrorKind =
  | 'truncated'
  | 'badMagic'
  | 'unknownVersion'
  | 'badHeaderChecksum'
  | 'badHeader'
  | 'badPayloadChecksum'
  | 'badPayload';

/** A decoded batch and where its bytes end, or why there is none. */
export type DecodedBatch =
  | { readonly type: 'batch'; readonly batch: EntryBatch; readonly end: number }
  | { readonly type: 'error'; readonly kind: DecodeErrorKind; readonly offset: number };

/** The length of a batch's byte form. */
export function encodedBytes(batch: EntryBatch): number {
  return batchHeaderBytes + batch.payload.length;
}

/** The length of the byte forms of batches together. */
export function encodedBytesOf(batches: readonly EntryBatch[]): number {
  let bytes = 0;
  for (let at = 0; at < batches.length; at++) bytes += encodedBytes(batches[at] as EntryBatch);
  return bytes;
}

/**
 * The byte form of a batch. Where the payload stands behind its header already, as in a batch that was decoded, these
 * very bytes: what a follower receives is what it stores. They are not to be changed.
 *
 * @param allocate - gives room for so many bytes, where they have to be made.
 */
export function encodeBatch(batch: EntryBatch, allocate = newBytes): Uint8Array {
  const { payload } = batch;
  writeHeader(batch, headerView);
  if (standsBehind(header, payload)) {
    const start = payload.byteOffset - batchHeaderBytes;
    return new Uint8Array(payload.buffer, start, encodedBytes(batch));
  }
  const bytes = allocate(encodedBytes(batch));
  bytes.set(header);
  bytes.set(payload, batchHeaderBytes);
  return bytes;
}

/** Where a header is made before it is known whether it is needed; used again by each. */
const header = new Uint8Array(batchHeaderBytes);
const headerView = new DataView(header.buffer);

function newBytes(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** Writes the byte form of a batch to `bytes`, from `at` on. */
export function writeBatch(batch: EntryBatch, bytes: Uint8Array, at: number): void {
  writeHeader(batch, new DataView(bytes.buffer, bytes.byteOffset + at, batchHeaderBytes));
  bytes.set(batch.payload, at + batchHeaderBytes);
}

function standsBehind(head: Uint8Array, { buffer, byteOffset }: Uint8Array): boolean {
  if (byteOffset < batchHeaderBytes) return false;
  const before = new Uint8Array(buffer, byteOffset - batchHeaderBytes, batchHeaderBytes);
  for (let at = 0; at < batchHeaderBytes; at++) if (before[at] !== head[at]) return false;
  return true;
}

function writeHeader(batch: EntryBatch, view: DataView): void {
  view.setUint8(0, magic);
  view.setUint8(1, formatVersion);
  view.setUint8(2, kinds.indexOf(batch.kind));
  view.setUint8(3, 0);
  view.setUint32(4, batch.group);
  setUint53(view, 8, batch.index);
  setUint53(view, 16, batch.term);
  setUint53(view, 24, batch.logTimeMs);
  view.setUint32(32, batch.count);
  view.setUint32(36, batch.payload.length);
  view.setUint32(40, batch.payloadChecksum);
  view.setUint32(44, crc32(new Uint8Array(view.buffer, view.byteOffset, 44)));
}

/**
 * Reads the batch at `offset`. Everything is checked: checksums, ranges, and that the payload holds exactly
 * `count` entries. The batch shares `bytes`. Takes time and memory in proportion to the batch, never more.
 *
 * @param checksum - a faster CRC-32 for the payload, such as the one of `node:zlib`.
 */
export function decodeBatch(bytes: Uint8Array, offset = 0, checksum: Crc32 = crc32): DecodedBatch {
  const error = (kind: DecodeErrorKind): DecodedBatch => ({ type: 'error', kind, offset });
  if (offset + batchHeaderBytes > bytes.byteLength) return error('truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, batchHeaderBytes);
  if (view.getUint8(0) !== magic) return error('badMagic');
  if (view.getUint8(1) !== formatVersion) return error('unknownVersion');
  if (view.getUint32(44) !== crc32(bytes.subarray(offset, offset + 44))) return error('badHeaderChecksum');
  const start = offset + batchHeaderBytes;
  const end = start + view.getUint32(36);
  if (end > bytes.byteLength) return error('truncated');
  const batch = readHeader(view, bytes.subarray(start, end));
  if (batch === undefined) return error('badHeader');
  if (checksum(batch.payload) !== batch.payloadChecksum) return error('badPayloadChecksum');
  if (!isPayload(batch.payload, batch.count)) return error('badPayload');
  return { type: 'batch', batch, end };
}

function readHeader(view: DataView, payload: Uint8Array): EntryBatch | undefined {
  const kind = kinds[view.getUint8(2)];
  const index = getUint53(view, 8);
  const term = getUint53(view, 16);
  const logTimeMs = getUint53(view, 24);
  const count = view.getUint32(32);
  const isSound =
    kind !== undefined && view.getUint8(3) === 0 && index >= 1 && term >= 1 && logTimeMs >= 0 && count >= 1;
  if (!isSound || !Number.isSafeInteger(index + count)) return undefined;
  return {
    group: view.getUint32(4),
    index: index as Index,
    term: term as Term,
    count,
    kind,
    logTimeMs,
    payload,
    payloadChecksum: view.getUint32(40),
  };
}

/** Whether bytes are exactly `count` length-prefixed entries. */
export function isPayload(payload: Uint8Array, count: number): boolean {
  const { length } = payload; // `byteLength` takes ten times as long, wherever it is asked for.
  let at = 0;
  for (let entry = 0; entry < count; entry++) {
    if (at + 4 > length) return false;
    at += 4 + uint32At(payload, at);
  }
  return at === length;
}

/** The bytes of an entry in a payload. */
export function entryBytes(entry: Uint8Array): number {
  return 4 + entry.length;
}

/** The bytes of entries in a payload. */
export function entriesBytes(entries: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entryBytes(entry);
  return bytes;
}

/** Writes an entry to a payload at `at`, its length in front. Returns where it ends. */
export function putEntry(payload: Uint8Array, at: number, entry: Uint8Array): number {
  putUint32(payload, at, entry.length);
  payload.set(entry, at + 4);
  return at + entryBytes(entry);
}

/** Puts entries one behind the other, each with its length in front. */
export function encodePayload(entries: readonly Uint8Array[]): Uint8Array {
  const payload = new Uint8Array(entriesBytes(entries));
  let at = 0;
  for (const entry of entries) at = putEntry(payload, at, entry);
  return payload;
}

/** The entries of a payload that {@link isPayload}; they share its bytes. */
export function decodePayload(payload: Uint8Array): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  const { buffer, byteOffset, length } = payload; // Asked for once: 17 ns an entry and not 40.
  for (let at = 0; at < length; ) {
    const start = at + 4;
    at = start + uint32At(payload, at);
    entries.push(new Uint8Array(buffer, byteOffset + start, at - start));
  }
  return entries;
}
