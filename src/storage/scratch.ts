/** A transaction whose batches have more bytes is given memory of its own. */
const keptBytesMax = 4 * 1024 * 1024;
const keptBytesMin = 64 * 1024;

/** What a transaction is lent. */
export interface Lent {
  /** Room for so many bytes; nobody else has it until it is given back. */
  readonly allocate: (length: number) => Uint8Array;
  /** The transaction is durable, and nobody reads the bytes any more. After an error it is not called. */
  readonly giveBack: () => void;
}

/**
 * Memory for the batches of one transaction, used again for the next (docs/decisions/0028). Made anew for each, it would
 * be garbage at the rate of the log. A transaction that begins while another has it, makes its own.
 */
export class Scratch {
  #buffer = new Uint8Array(0);
  #isLent = false;

  /** Lends it to a transaction whose batches have so many bytes; it is taken once a batch has to be made. */
  lend(bytes: number): Lent {
    let buffer: Uint8Array | null = null;
    let at = 0;
    return {
      allocate: (length) => {
        buffer ??= this.#take(bytes);
        if (buffer === null || at + length > buffer.length) return new Uint8Array(length);
        at += length;
        return buffer.subarray(at - length, at);
      },
      giveBack: () => {
        if (buffer !== null) this.#isLent = false;
        buffer = null;
      },
    };
  }

  #take(bytes: number): Uint8Array | null {
    if (this.#isLent || bytes > keptBytesMax) return null;
    this.#isLent = true;
    if (this.#buffer.length < bytes)
      this.#buffer = new Uint8Array(Math.max(keptBytesMin, Math.min(keptBytesMax, 2 * bytes)));
    return this.#buffer;
  }
}
