/**
 * Reads bytes front to back without ever throwing: what lies beyond the end reads as zeros, and
 * {@link ByteReader.isSpent} then says that the whole was not sound.
 */
export class ByteReader {
  readonly #view: Uint8Array;
  #at = 0;
  #isSound = true;

  constructor(bytes: Uint8Array) {
    this.#view = bytes;
  }

  /** Whether everything was read, and nothing beyond. */
  get isSpent(): boolean {
    return this.#isSound && this.#at === this.#view.byteLength;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#isSound ? this.#view.byteLength - this.#at : 0;
  }

  u8(): number {
    return this.#number(1);
  }

  u16(): number {
    return this.#number(2);
  }

  u32(): number {
    return this.#number(4);
  }

  /** A view of the next bytes: nothing is copied. */
  bytes(length: number): Uint8Array {
    if (!this.#has(length)) return new Uint8Array(0);
    this.#at += length;
    return this.#view.subarray(this.#at - length, this.#at);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.bytes(this.#view.byteLength - this.#at);
  }

  /** Big-endian. */
  #number(length: number): number {
    if (!this.#has(length)) return 0;
    let value = 0;
    for (const end = this.#at + length; this.#at < end; this.#at++)
      value = value * 256 + (this.#view[this.#at] as number);
    return value;
  }

  #has(length: number): boolean {
    const isThere = length <= this.#view.byteLength - this.#at;
    if (!isThere) this.#isSound = false;
    return isThere;
  }
}
