import { crc32 } from 'node:zlib';

/**
 * A small value on disk: JSON in UTF-8 after its checksum, so that whoever looks into a store with LMDB's own
 * tools can read it.
 */
export function encodeRecord(value: unknown): Uint8Array {
  return withChecksum(Buffer.from(JSON.stringify(value)));
}

/** The value of a record; `undefined` if the bytes are not what `encodeRecord` made. */
export function decodeRecord(bytes: Uint8Array): unknown {
  const json = withoutChecksum(bytes);
  if (json === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(json).toString('utf8'));
  } catch {
    return undefined; // Another program's bytes, with a checksum that fits.
  }
}

/** Bytes after their CRC-32, a big-endian u32. */
export function withChecksum(content: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + content.byteLength);
  bytes.writeUInt32BE(crc32(content), 0);
  bytes.set(content, 4);
  return bytes;
}

/** What `withChecksum` was given, sharing its bytes; `undefined` if they are not as it made them. */
export function withoutChecksum(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength < 5) return undefined;
  const stored = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const content = bytes.subarray(4);
  return crc32(content) === stored ? content : undefined;
}
