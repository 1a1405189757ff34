import { type Codec, putUint53, uint53At } from 'rxraft';
import { ByteReader } from './byte-reader.ts';

/** What became of one operation. */
export type KvOpResult =
  | { readonly type: 'put' }
  | { readonly type: 'delete'; readonly existed: boolean }
  /** `length` is that of the whole value, in bytes. */
  | { readonly type: 'append'; readonly length: number }
  | { readonly type: 'cas'; readonly swapped: boolean }
  /** An append that changed nothing, because the value would have been `length` bytes. */
  | { readonly type: 'tooLarge'; readonly length: number; readonly valueBytesMax: number };

/** What became of a command. */
export type KvResult =
  | KvOpResult
  | { readonly type: 'batch'; readonly results: readonly KvOpResult[] }
  /** The bytes were no command, and changed nothing. */
  | { readonly type: 'unreadable' };

/** What became of a command, and where it was carried out: for a retried one, where it first was. */
export interface KvExecuted {
  readonly index: number;
  readonly term: number;
  readonly result: KvResult;
}

const tags = { put: 1, delete: 2, append: 3, cas: 4, batch: 5, tooLarge: 6, unreadable: 7 } as const;

/** Index and term as u64, then the result as {@link kvResultCodec} has it. */
export const kvExecutedCodec: Codec<KvExecuted> = {
  encode({ index, term, result }) {
    const encoded = kvResultCodec.encode(result);
    const bytes = new Uint8Array(positionBytes + encoded.byteLength);
    putUint53(bytes, 0, index);
    putUint53(bytes, 8, term);
    bytes.set(encoded, positionBytes);
    return bytes;
  },
  decode(bytes) {
    if (bytes.byteLength < positionBytes)
      throw new RangeError(`${bytes.byteLength} bytes that are no result`);
    const [index, term] = [uint53At(bytes, 0), uint53At(bytes, 8)];
    if (index < 0 || term < 0) throw new RangeError('an index or a term that is no safe integer');
    return { index, term, result: kvResultCodec.decode(bytes.subarray(positionBytes)) };
  },
};

const positionBytes = 16;

/**
 * The binary form of a result: a tag, then a flag (`delete`, `cas`), one length (`append`), two
 * (`tooLarge`), or a count and that many results (`batch`). Flags are a byte, counts and lengths u32,
 * big-endian.
 */
export const kvResultCodec: Codec<KvResult> = { encode: encodeResult, decode: decodeResult };

function encodeResult(result: KvResult): Uint8Array {
  if (result.type === 'put') return putBytes; // Most are, and nobody changes the bytes.
  const bytes: number[] = [];
  write(result, bytes);
  return Uint8Array.from(bytes);
}

const putBytes = Uint8Array.of(tags.put);

function write(result: KvResult, bytes: number[]): void {
  bytes.push(tags[result.type]);
  switch (result.type) {
    case 'put':
    case 'unreadable':
      return;
    case 'delete':
      bytes.push(result.existed ? 1 : 0);
      return;
    case 'cas':
      bytes.push(result.swapped ? 1 : 0);
      return;
    case 'append':
      pushU32(result.length, bytes);
      return;
    case 'tooLarge':
      pushU32(result.length, bytes);
      pushU32(result.valueBytesMax, bytes);
      return;
    case 'batch':
      pushU32(result.results.length, bytes);
      for (const each of result.results) write(each, bytes);
  }
}

function decodeResult(bytes: Uint8Array): KvResult {
  const reader = new ByteReader(bytes);
  const result = bytes[0] === tags.batch ? readBatch(reader, bytes.byteLength) : readResult(reader);
  if (result === null || !reader.isSpent)
    throw new RangeError(`${bytes.byteLength} bytes that are no result`);
  return result;
}

function readBatch(reader: ByteReader, bytesMax: number): KvResult | null {
  reader.u8();
  const count = reader.u32();
  if (count > bytesMax) return null; // A result is a byte at least.
  const results: KvOpResult[] = [];
  for (let n = 0; n < count; n++) {
    const result = readResult(reader);
    if (result === null || result.type === 'unreadable') return null;
    results.push(result);
  }
  return { type: 'batch', results };
}

function readResult(reader: ByteReader): KvOpResult | { readonly type: 'unreadable' } | null {
  switch (reader.u8()) {
    case tags.put:
      return { type: 'put' };
    case tags.delete:
      return { type: 'delete', existed: reader.u8() === 1 };
    case tags.append:
      return { type: 'append', length: reader.u32() };
    case tags.cas:
      return { type: 'cas', swapped: reader.u8() === 1 };
    case tags.tooLarge:
      return { type: 'tooLarge', length: reader.u32(), valueBytesMax: reader.u32() };
    case tags.unreadable:
      return { type: 'unreadable' };
    default:
      return null;
  }
}

function pushU32(value: number, bytes: number[]): void {
  bytes.push((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}
