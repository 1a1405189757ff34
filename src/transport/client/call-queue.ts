import type { ReadCall, WriteCall } from './calls.ts';
import { type ClientError, clientError } from './errors.ts';

/** Bounds on the requests of one client that have no answer yet. */
export interface QueueLimits {
  /** Requests; beyond it they are refused with `RAFT_OVERLOADED`. */
  readonly pendingMax: number;
  /** Their bytes; beyond it the same, but for a request that is alone. */
  readonly pendingBytesMax: number;
}

/** Requests that wait to be sent, and the count of all that have no answer. */
export class CallQueue {
  readonly #limits: QueueLimits;
  #writes: WriteCall[] = [];
  #reads: ReadCall[] = [];
  #pending = 0;
  #pendingBytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Requests without an answer, here or sent. */
  get pending(): number {
    return this.#pending;
  }

  get writes(): readonly WriteCall[] {
    return this.#writes;
  }

  get reads(): readonly ReadCall[] {
    return this.#reads;
  }

  /** Takes a request, or says why not. */
  add(call: WriteCall | ReadCall): ClientError | null {
    const { pendingMax, pendingBytesMax } = this.#limits;
    const bytes = this.#pendingBytes + call.bytes.byteLength;
    if (this.#pending >= pendingMax) {
      const what = `${this.#pending} requests of this client wait for their answer, the limit is ${pendingMax} (pendingMax).`;
      return clientError('RAFT_OVERLOADED', 'notCommitted', what);
    }
    if (this.#pending > 0 && bytes > pendingBytesMax) {
      const what = `${bytes} bytes of requests would wait for their answer, the limit is ${pendingBytesMax} (pendingBytesMax).`;
      return clientError('RAFT_OVERLOADED', 'notCommitted', what);
    }
    this.#pending += 1;
    this.#pendingBytes = bytes;
    if (call.type === 'write') this.#writes.push(call);
    else this.#reads.push(call);
    return null;
  }

  /** It has been answered. */
  release(call: WriteCall | ReadCall): void {
    this.#pending -= 1;
    this.#pendingBytes -= call.bytes.byteLength;
  }

  /** Takes the first so many writes. */
  takeWrites(count: number): WriteCall[] {
    return this.#writes.splice(0, count);
  }

  /** Takes the first so many reads. */
  takeReads(count: number): ReadCall[] {
    return this.#reads.splice(0, count);
  }

  /** These go once more, each in its place. */
  putBack(calls: readonly (WriteCall | ReadCall)[]): void {
    const writes = calls.filter((call) => call.type === 'write');
    const reads = calls.filter((call) => call.type === 'read');
    const byOrder = (a: { order: number }, b: { order: number }) => a.order - b.order;
    if (writes.length > 0) this.#writes = [...writes, ...this.#writes].sort(byOrder);
    if (reads.length > 0) this.#reads = [...reads, ...this.#reads].sort(byOrder);
  }

  /** Forgets those that were given up. */
  dropDone(): void {
    this.#writes = this.#writes.filter(({ isDone }) => !isDone);
    this.#reads = this.#reads.filter(({ isDone }) => !isDone);
  }
}
