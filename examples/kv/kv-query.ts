import type { Codec } from 'rxraft';
import { ByteReader } from './byte-reader.ts';
import { keyBytesCeiling } from './kv-command.ts';
import type { KvAnswer, KvEntry, KvQuery } from './kv-machine.ts';

const tags = { get: 1, exists: 2, range: 3 } as const;

/**
 * The binary form of a query, as `rxraft/client` sends it: a tag, then the key (`get`, `exists`), or prefix and `from`,
 * each `length:u16 bytes`, and limit:u32. Decoding throws on bytes that are no query.
 */
export const kvQueryCodec: Codec<KvQuery> = {
  encode(query) {
    if (query.type !== 'range') return Buffer.concat([Uint8Array.of(tags[query.type]), query.key]);
    const { prefix, from, limit } = query;
    return Buffer.concat([
      Uint8Array.of(tags.range),
      u16(prefix.byteLength),
      prefix,
      u16(from.byteLength),
      from,
      u32(limit),
    ]);
  },
  decode(bytes) {
    const reader = new ByteReader(bytes);
    const query = readQuery(reader);
    if (query === null || !reader.isSpent)
      throw new RangeError(`${bytes.byteLength} bytes that are no query`);
    return query;
  },
};

function readQuery(reader: ByteReader): KvQuery | null {
  const tag = reader.u8();
  if (tag === tags.range)
    return {
      type: 'range',
      prefix: reader.bytes(reader.u16()),
      from: reader.bytes(reader.u16()),
      limit: reader.u32(),
    };
  const key = reader.rest();
  if (key.byteLength === 0 || key.byteLength > keyBytesCeiling) return null;
  if (tag === tags.get) return { type: 'get', key };
  return tag === tags.exists ? { type: 'exists', key } : null;
}

/**
 * The binary form of an answer: the query's tag, then a flag and the value (`get`), a flag (`exists`), or
 * (`range`) a flag and `next` if there is one, and entry behind entry. Keys are `length:u16 bytes`, the values of a
 * range `length:u32 bytes`.
 */
export const kvAnswerCodec: Codec<KvAnswer> = {
  encode(answer) {
    switch (answer.type) {
      case 'get': {
        const bytes = new Uint8Array(2 + (answer.value?.byteLength ?? 0));
        bytes[0] = tags.get;
        bytes[1] = answer.value === null ? 0 : 1;
        if (answer.value !== null) bytes.set(answer.value, 2);
        return bytes;
      }
      case 'exists':
        return Uint8Array.of(tags.exists, answer.exists ? 1 : 0);
      case 'range':
        return encodeRange(answer);
    }
  },
  decode(bytes) {
    const reader = new ByteReader(bytes);
    const answer = readAnswer(reader);
    if (answer === null || !reader.isSpent)
      throw new RangeError(`${bytes.byteLength} bytes that are no answer`);
    return answer;
  },
};

function encodeRange({ entries, next }: KvAnswer & { readonly type: 'range' }): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(tags.range, next === null ? 0 : 1)];
  if (next !== null) parts.push(u16(next.byteLength), next);
  for (const [key, value] of entries) parts.push(u16(key.byteLength), key, u32(value.byteLength), value);
  return Buffer.concat(parts);
}

function readAnswer(reader: ByteReader): KvAnswer | null {
  const tag = reader.u8();
  const flag = reader.u8();
  if (flag > 1) return null;
  switch (tag) {
    case tags.get: {
      const value = reader.rest();
      if (flag === 0 && value.byteLength > 0) return null;
      return { type: 'get', value: flag === 0 ? null : value };
    }
    case tags.exists:
      return { type: 'exists', exists: flag === 1 };
    case tags.range: {
      const next = flag === 1 ? reader.bytes(reader.u16()) : null;
      const entries: KvEntry[] = [];
      while (reader.left > 0) entries.push([reader.bytes(reader.u16()), reader.bytes(reader.u32())]);
      return { type: 'range', entries, next };
    }
    default:
      return null;
  }
}

const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);
const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
