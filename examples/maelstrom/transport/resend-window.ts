import type { LinkLimits } from './link-host.ts';

/** A message that has left, and is not acknowledged. */
interface Unacked {
  readonly seq: number;
  readonly data: string;
  readonly bytes: number;
  readonly sentMs: number;
  dueMs: number;
  sendings: number;
}

/** Messages sent again at one look, so that a peer that came back is not flooded. */
const resentAtOnceMax = 32;

/** The messages of one link that the other end does not have yet, oldest first. */
export class ResendWindow {
  readonly #limits: LinkLimits;
  readonly #unacked: Unacked[] = [];
  #bytes = 0;
  #lastSeq = 0;
  /** Of the last message that was acknowledged after one sending, in milliseconds. */
  rttMs: number | null = null;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#unacked.length;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** It leaves now. Returns its number. */
  add(data: string, bytes: number, now: number): number {
    this.#lastSeq += 1;
    this.#bytes += bytes;
    const dueMs = now + this.#resendMs(1);
    this.#unacked.push({ seq: this.#lastSeq, data, bytes, sentMs: now, dueMs, sendings: 1 });
    return this.#lastSeq;
  }

  /** The other end has everything through `seq`. What it can't have, or had before, says nothing. */
  acknowledge(seq: number, now: number): void {
    if (seq > this.#lastSeq) return;
    let count = 0;
    for (const sent of this.#unacked) {
      if (sent.seq > seq) break;
      count += 1;
      this.#bytes -= sent.bytes;
      if (sent.sendings === 1) this.rttMs = now - sent.sentMs;
    }
    this.#unacked.splice(0, count);
  }

  /** Those whose acknowledgement is overdue: they leave once more, each later than the time before. */
  takeDue(now: number): readonly { readonly seq: number; readonly data: string }[] {
    const due = this.#unacked.filter((sent) => now >= sent.dueMs).slice(0, resentAtOnceMax);
    for (const sent of due) {
      sent.sendings += 1;
      sent.dueMs = now + this.#resendMs(sent.sendings);
    }
    return due;
  }

  #resendMs(sendings: number): number {
    const { resendMsMin, resendMsMax } = this.#limits;
    const onceMs = Math.max(resendMsMin, 2 * (this.rttMs ?? 0));
    return Math.min(resendMsMax, onceMs * 2 ** Math.min(sendings - 1, 8));
  }
}
