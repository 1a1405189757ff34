import type { Codec } from 'rxraft';
import { ByteReader } from './byte-reader.ts';

/** What can be done to one key. */
export type KvOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }
  /** Carries its own limit, so that every node draws the same line whatever it was configured with. */
  | {
      readonly type: 'append';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly valueBytesMax: number;
    }
  /** Sets the key if it holds exactly `expect`; `null` is a key that is not there. */
  | {
      readonly type: 'cas';
      readonly key: Uint8Array;
      readonly expect: Uint8Array | null;
      readonly value: Uint8Array;
    };

/** What the cluster replicates. */
export type KvCommand =
  | KvOp
  /** Carried out in order, at one index, with nothing in between. */
  | { readonly type: 'batch'; readonly ops: readonly KvOp[] }
  /** Bytes that are no command, such as one of a later version. It changes nothing. */
  | { readonly type: 'unreadable'; readonly bytes: Uint8Array };

/** The longest key that fits the machine's storage: its 1,900 bytes less a prefix of ours and one of the sessions. */
export const keyBytesCeiling = 1_898;

/** The most operations that a batch can count: a u16. */
export const batchOpsCeiling = 0xffff;

const tags = { put: 1, delete: 2, append: 3, cas: 4, batch: 5 } as const;

/**
 * The binary form of a command. Numbers are big-endian.
 *
 *     put      1  key                                    value
 *     delete   2  key
 *     append   3  key  valueBytesMax:u32                 value
 *     cas      4  key  0 | 1 expectLength:u32 expect     value
 *     batch    5  count:u16  (length:u32 operation) …
 *
 * where a key is `length:u16 bytes`, and a value is all that is left. Decoding answers any bytes: those that
 * are no command give `unreadable`, which encodes to the same bytes again.
 */
export const kvCommandCodec: Codec<KvCommand> = { encode: encodeCommand, decode: decodeCommand };

function encodeCommand(command: KvCommand): Uint8Array {
  if (command.type === 'unreadable') return command.bytes;
  if (command.type !== 'batch') return encodeOp(command);
  const parts: Uint8Array[] = [u8(tags.batch), u16(command.ops.length)];
  for (const op of command.ops) {
    const encoded = encodeOp(op);
    parts.push(u32(encoded.byteLength), encoded);
  }
  return Buffer.concat(parts);
}

function encodeOp(op: KvOp): Uint8Array {
  if (op.type === 'put') return encodePut(op);
  const head = [u8(tags[op.type]), u16(op.key.byteLength), op.key];
  switch (op.type) {
    case 'delete':
      return Buffer.concat(head);
    case 'append':
      return Buffer.concat([...head, u32(op.valueBytesMax), op.value]);
    case 'cas': {
      const expect = op.expect === null ? [u8(0)] : [u8(1), u32(op.expect.byteLength), op.expect];
      return Buffer.concat([...head, ...expect, op.value]);
    }
  }
}

/** Most commands are puts: in one array, and not out of parts. */
function encodePut({ key, value }: KvOp & { readonly type: 'put' }): Uint8Array {
  const bytes = new Uint8Array(3 + key.byteLength + value.byteLength);
  bytes[0] = tags.put;
  bytes[1] = key.byteLength >>> 8;
  bytes[2] = key.byteLength;
  bytes.set(key, 3);
  bytes.set(value, 3 + key.byteLength);
  return bytes;
}

function decodeCommand(bytes: Uint8Array): KvCommand {
  return (bytes[0] === tags.batch ? readBatch(bytes) : readOp(bytes)) ?? { type: 'unreadable', bytes };
}

function readBatch(bytes: Uint8Array): KvCommand | null {
  const reader = new ByteReader(bytes);
  reader.u8();
  const count = reader.u16();
  const ops: KvOp[] = [];
  for (let n = 0; n < count; n++) {
    const op = readOp(reader.bytes(reader.u32()));
    if (op === null) return null;
    ops.push(op);
  }
  return reader.isSpent && count > 0 ? { type: 'batch', ops } : null;
}

function readOp(bytes: Uint8Array): KvOp | null {
  const reader = new ByteReader(bytes);
  const tag = reader.u8();
  const key = reader.bytes(reader.u16());
  const op = readRest(tag, key, reader);
  const isKeyInBounds = key.byteLength > 0 && key.byteLength <= keyBytesCeiling;
  return isKeyInBounds && reader.isSpent ? op : null;
}

function readRest(tag: number, key: Uint8Array, reader: ByteReader): KvOp | null {
  switch (tag) {
    case tags.put:
      return { type: 'put', key, value: reader.rest() };
    case tags.delete:
      return { type: 'delete', key };
    case tags.append:
      return { type: 'append', key, valueBytesMax: reader.u32(), value: reader.rest() };
    case tags.cas: {
      const isExpecting = reader.u8();
      if (isExpecting > 1) return null;
      const expect = isExpecting === 1 ? reader.bytes(reader.u32()) : null;
      return { type: 'cas', key, expect, value: reader.rest() };
    }
    default:
      return null;
  }
}

const u8 = (value: number): Uint8Array => Uint8Array.of(value);
const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value);
const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
