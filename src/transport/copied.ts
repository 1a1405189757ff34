/** V8 keeps shorter arrays in its own heap; longer ones are seldom, and would fill the shared memory. */
const bytesMin = 65;
const bytesMax = 1024;

const isNode = typeof Buffer !== 'undefined';

/**
 * The same bytes in memory of nobody else's. On Node, short arrays are cut from its pool: 128 bytes in an `ArrayBuffer` of their own take
 * five times as long, 0.75 µs and not 0.15, and bring the next full collection nearer.
 */
export function copied(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (!isNode || length < bytesMin || length > bytesMax) return new Uint8Array(bytes);
  const { buffer, byteOffset } = Buffer.allocUnsafe(length);
  const copy = new Uint8Array(buffer, byteOffset, length); // No `Buffer`, whose `slice` shares its bytes.
  copy.set(bytes);
  return copy;
}
