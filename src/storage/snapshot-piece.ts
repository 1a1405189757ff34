import { machineKeyBytesMax } from './machine-overlay.ts';

/*
 * The bytes of a chunk that is a piece of one value, for values that no chunk holds:
 *
 * | bytes | |
 * |---|---|
 * | 1 | the version, 2 |
 * | 1 | 1 if the value ends with this piece, else 0 |
 * | 2 | length of the key, big-endian, 1 to 1,900 |
 * | | key |
 * | | the next bytes of the value, one at least |
 */
const version = 2;
const headerBytes = 4;

/** A piece of a value. */
export interface Piece {
  readonly key: Uint8Array;
  readonly bytes: Uint8Array;
  /** Whether the value ends with it. */
  readonly isEnd: boolean;
}

/** The bytes of a value that a chunk of a size has room for. */
export function pieceRoom(key: Uint8Array, chunkBytes: number): number {
  return chunkBytes - headerBytes - key.byteLength;
}

/** The bytes of a chunk that is a piece. */
export function encodePiece({ key, bytes, isEnd }: Piece): Uint8Array {
  const chunk = new Uint8Array(headerBytes + key.byteLength + bytes.byteLength);
  chunk[0] = version;
  chunk[1] = isEnd ? 1 : 0;
  new DataView(chunk.buffer).setUint16(2, key.byteLength);
  chunk.set(key, headerBytes);
  chunk.set(bytes, headerBytes + key.byteLength);
  return chunk;
}

/** Whether a chunk says that it is a piece of a value, and not entries. */
export function isPiece(chunk: Uint8Array): boolean {
  return chunk[0] === version;
}

/** Reads a piece, sharing its bytes; `undefined` if it is not one. */
export function decodePiece(chunk: Uint8Array): Piece | undefined {
  if (!isPiece(chunk) || chunk.byteLength < headerBytes || (chunk[1] as number) > 1) return undefined;
  const keyBytes = new DataView(chunk.buffer, chunk.byteOffset, headerBytes).getUint16(2);
  const valueAt = headerBytes + keyBytes;
  if (keyBytes < 1 || keyBytes > machineKeyBytesMax || valueAt >= chunk.byteLength) return undefined;
  return { key: chunk.subarray(headerBytes, valueAt), bytes: chunk.subarray(valueAt), isEnd: chunk[1] === 1 };
}
