import { decodePayload, isPayload } from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';

/** Some of the results of a write, as the leader sends them. */
export type ResultsPart = Extract<ForwardReplyFrame['reply'], { type: 'results' }>;

/** The results of a write that was passed on, while they arrive in parts: the write is committed. */
export class ArrivingResults {
  /** Of the first command. */
  readonly index: number;
  readonly #totalBytes: number;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor({ index, totalBytes }: ResultsPart) {
    this.index = index;
    this.#totalBytes = totalBytes;
  }

  /** How far they are, in words. */
  get progress(): string {
    return `${this.#bytes} of its ${this.#totalBytes} bytes had come`;
  }

  /**
   * Takes a part. One that has been here is no news: after a connection broke, the leader begins anew. `false`: what comes
   * before it is missing.
   */
  add({ offset, bytes }: ResultsPart): boolean {
    if (offset > this.#bytes) return false;
    const rest = bytes.subarray(this.#bytes - offset);
    if (rest.length > 0) this.#parts.push(rest);
    this.#bytes += rest.length;
    return true;
  }

  get isComplete(): boolean {
    return this.#bytes >= this.#totalBytes;
  }

  /** All of them; `null` if these bytes are not so many results. */
  resultsOf(count: number): readonly Uint8Array[] | null {
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return isPayload(whole, count) ? decodePayload(whole) : null;
  }
}
