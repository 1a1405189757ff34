/** A transaction that needs more is given memory of its own. */
const bytesMax = 4 * 1024 * 1024;
const bytesMin = 64 * 1024;

/**
 * Memory for the bytes of one transaction, used again for the next. Made anew for each, it would be garbage at the rate of the
 * log. While one transaction has it, another gets none.
 */
export class Scratch {
  #buffer = new Uint8Array(0);
  #isTaken = false;

  /**
   * Gives a transaction its memory: a function that hands out pieces of it, `bytes` in all, and one that takes all of them
   * back. Until then nobody else has them; if nobody may ever have them again, it is not called.
   */
  take(bytes: number): { readonly allocate: (length: number) => Uint8Array; readonly giveBack: () => void } {
    if (this.#isTaken || bytes > bytesMax)
      return { allocate: (length) => new Uint8Array(length), giveBack: () => undefined };
    this.#isTaken = true;
    if (this.#buffer.length < bytes) this.#buffer = new Uint8Array(Math.max(bytesMin, 2 * bytes));
    const buffer = this.#buffer;
    let at = 0;
    return {
      allocate: (length) => {
        if (at + length > buffer.length) return new Uint8Array(length);
        at += length;
        return buffer.subarray(at - length, at);
      },
      giveBack: () => {
        this.#isTaken = false;
      },
    };
  }
}
