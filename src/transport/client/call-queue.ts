import type { ClientCommitted, ClientReadAnswer, ReadCall, WriteCall } from './calls.ts';
import { type ClientError, clientError } from './errors.ts';

/** Bounds on the requests of one client that have no answer yet. */
export interface QueueLimits {
  /** Requests; beyond it they are refused with `RAFT_OVERLOADED`. */
  readonly pendingMax: number;
  /** Their bytes; beyond it the same, but for a request that is alone. */
  readonly pendingBytesMax: number;
}

/** Requests that wait to be sent, and the count of all that have no answer. Each is answered once. */
export class CallQueue {
  readonly #limits: QueueLimits;
  readonly #onDone: (call: WriteCall | ReadCall) => void;
  #writes: WriteCall[] = [];
  #reads: ReadCall[] = [];
  /** Refused by a server that was not the one to ask: they wait a moment. */
  #held: (WriteCall | ReadCall)[] = [];
  #pending = 0;
  #pendingBytes = 0;
  /** How many of those that wait here have been given up since they were last dropped, at most. */
  #givenUp = 0;
  #lastOrder = 0;

  /** @param onDone - told of each request that is answered, before its caller is. */
  constructor(limits: QueueLimits, onDone: (call: WriteCall | ReadCall) => void) {
    this.#limits = limits;
    this.#onDone = onDone;
  }

  /** Numbers requests in the order of the calls. */
  nextOrder(): number {
    this.#lastOrder += 1;
    return this.#lastOrder;
  }

  /** Requests without an answer, here or sent. */
  get pending(): number {
    return this.#pending;
  }

  /** Commands that wait to be sent, in their order. */
  get writes(): readonly WriteCall[] {
    return this.#writes;
  }

  /** Queries that wait to be sent, in their order. */
  get reads(): readonly ReadCall[] {
    return this.#reads;
  }

  /** Takes a request, or says why not. */
  add(call: WriteCall | ReadCall): ClientError | null {
    const overload = this.#overloadOf(call.bytes.length);
    if (overload !== null) return clientError('RAFT_OVERLOADED', 'notCommitted', overload);
    this.#pending += 1;
    this.#pendingBytes += call.bytes.length;
    if (call.type === 'write') this.#writes.push(call);
    else this.#reads.push(call);
    return null;
  }

  #overloadOf(bytes: number): string | null {
    const { pendingMax, pendingBytesMax } = this.#limits;
    if (this.#pending >= pendingMax)
      return `${this.#pending} requests of this client wait for their answer, the limit is ${pendingMax} (pendingMax).`;
    if (this.#pending > 0 && this.#pendingBytes + bytes > pendingBytesMax)
      return `${this.#pendingBytes} bytes of requests wait for their answer and ${bytes} more came, the limit is ${pendingBytesMax} (pendingBytesMax).`;
    return null;
  }

  /** Takes the first so many writes, without those that were given up. */
  takeWrites(count: number): WriteCall[] {
    return this.#writes.splice(0, Math.max(0, count)).filter(isWaiting);
  }

  /** Takes the first so many reads, without those that were given up. */
  takeReads(count: number): ReadCall[] {
    return this.#reads.splice(0, Math.max(0, count)).filter(isWaiting);
  }

  /** These go once more, each in its place. */
  putBack(calls: readonly (WriteCall | ReadCall)[]): void {
    for (const call of calls) call.isSent = false;
    const writes = calls.filter((call) => call.type === 'write');
    const reads = calls.filter((call) => call.type === 'read');
    if (writes.length > 0) this.#writes = [...writes, ...this.#writes].sort(byOrder);
    if (reads.length > 0) this.#reads = [...reads, ...this.#reads].sort(byOrder);
  }

  /** This goes once more, but only after {@link CallQueue.release}. */
  hold(call: WriteCall | ReadCall): void {
    call.isSent = false;
    if (!call.isDone) this.#held.push(call);
  }

  /** What is held back, in no order. */
  get held(): readonly (WriteCall | ReadCall)[] {
    return this.#held;
  }

  /** What was held back may go. */
  release(): void {
    const held = this.#held.filter(isWaiting);
    this.#held = [];
    this.putBack(held);
  }

  /** Forgets those that were given up. */
  dropDone(): void {
    this.#givenUp = 0;
    this.#writes = this.#writes.filter(isWaiting);
    this.#reads = this.#reads.filter(isWaiting);
    this.#held = this.#held.filter(isWaiting);
  }

  /** Answers a request, unless it has been answered. */
  resolve<T>(call: WriteCall | ReadCall, value: ClientCommitted<T> | ClientReadAnswer<T>): void {
    if (this.#finish(call)) call.resolve(value);
  }

  /** Answers a request with an error, unless it has been answered. */
  reject(call: WriteCall | ReadCall, error: ClientError): void {
    if (this.#finish(call)) call.reject(error);
  }

  #finish(call: WriteCall | ReadCall): boolean {
    if (call.isDone) return false;
    call.isDone = true;
    call.unwatch?.();
    this.#pending -= 1;
    this.#pendingBytes -= call.bytes.length;
    this.#onDone(call);
    if (!call.isSent) this.#onGivenUp(call);
    return true;
  }

  /**
   * Nobody counts a request that was given up while it waited here, so it must not stay: without a server, callers that
   * give up early could fill the memory. Its bytes go at once, and its place once most of the places are such: finding
   * each one by itself would look through all of the others.
   */
  #onGivenUp(call: WriteCall | ReadCall): void {
    call.bytes = noBytes;
    this.#givenUp += 1;
    const places = this.#writes.length + this.#reads.length + this.#held.length;
    if (this.#givenUp * 2 > places) this.dropDone();
  }
}

const noBytes = new Uint8Array(0);

function isWaiting({ isDone }: WriteCall | ReadCall): boolean {
  return !isDone;
}

function byOrder(a: { readonly order: number }, b: { readonly order: number }): number {
  return a.order - b.order;
}
