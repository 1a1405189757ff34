import { crc32 } from 'node:zlib';

/**
 * A small value on disk: the CRC-32 of the rest as a big-endian u32, and then JSON in UTF-8, so that whoever
 * looks into a store with LMDB's own tools can read it.
 */
export function encodeRecord(value: unknown): Uint8Array {
  const json = JSON.stringify(value);
  const length = Buffer.byteLength(json);
  const bytes = Buffer.allocUnsafe(4 + length);
  bytes.write(json, 4, length, 'utf8');
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** The value of a record; `undefined` if the bytes are not what `encodeRecord` made. */
export function decodeRecord(bytes: Uint8Array): unknown {
  if (bytes.byteLength < 5) return undefined;
  const stored = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const json = bytes.subarray(4);
  return crc32(json) === stored ? JSON.parse(Buffer.from(json).toString('utf8')) : undefined;
}
