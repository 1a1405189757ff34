/** Buffers have so many bytes at least, and so many at most; each size is twice the one before. */
const bytesMin = 256;
const bytesMax = 1024 * 1024;
/** So many bytes of free buffers of one size are kept, but one at least. */
const keptBytesMax = 512 * 1024;

/**
 * Buffers that are used again. A message takes one from when it is made until the operating system has it: memory made
 * anew for each would be garbage at the rate of the log, and the collector would look through all that is old for it
 * several times a second. A message takes up to twice its bytes, and 256 at least; free buffers are at most 7 MiB in all.
 */
export class MessageBuffers {
  private readonly free: Uint8Array[][] = [];

  /** A buffer with room for so many bytes, with whatever is in it. One beyond the largest size is made for this use only. */
  take(bytes: number): Uint8Array {
    if (bytes > bytesMax) return new Uint8Array(bytes);
    const size = sizeOf(bytes);
    return this.free[size]?.pop() ?? new Uint8Array(bytesMin << size);
  }

  /** Takes a buffer back. Nobody may read it any more. */
  give(buffer: Uint8Array): void {
    const { length } = buffer;
    if (length > bytesMax) return;
    const size = sizeOf(length);
    let free = this.free[size];
    if (free === undefined) {
      free = [];
      this.free[size] = free;
    }
    if (free.length === 0 || (free.length + 1) * length <= keptBytesMax) free.push(buffer);
  }
}

/** The number of the smallest size that so many bytes fit into. */
function sizeOf(bytes: number): number {
  return Math.max(0, 32 - Math.clz32((bytes - 1) >>> 8));
}
