import { entriesBytes, entryBytes } from '../core/index.ts';
import type { Answer, CallLimits } from './call.ts';
import { type RequestError, requestError } from './errors.ts';
import type { Unanswered } from './gathering.ts';
import type { Committed } from './raft-node.ts';
import { JointCall, ListCall, type WriteCall, type Written } from './write-call.ts';

/** Calls whose commands go off together. */
export type WriteGroup<Result> = readonly WriteCall<Result>[];

/** Commands to write that have one answer. */
export interface NewWrite {
  readonly commands: readonly Uint8Array[];
  /** Whether the caller encodes the results and changes nothing: it gets the machine's own. */
  readonly takesOwn: boolean;
}

/** Bounds of {@link WaitingWrites}. */
export interface WriteLimits {
  /** Payload bytes of one batch; a single larger call is a batch of its own. */
  readonly batchBytesMax: number;
  /** Commands of one batch, so that applying one never takes long. */
  readonly batchCountMax: number;
  /** Commands that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  readonly pendingMax: number;
  /** Their bytes; beyond it the same, but for a call that is alone. */
  readonly pendingBytesMax: number;
}

/** The calls that have not left, in their order. All that have no answer count, wherever they are, and are bounded. */
export class WaitingWrites<Result> {
  readonly #limits: WriteLimits;
  readonly #now: () => number;
  readonly #onAbort: (write: WriteCall<Result>) => void;
  #calls: WriteCall<Result>[] = [];
  /** The last of them, while single writes may join it: until the turn is over, and where writes are held back, until it leaves. */
  #joint: JointCall<Result> | null = null;
  /** What the one before it came to: the next will need as much. */
  #jointBytes = 0;
  #pending = 0;
  #pendingBytes = 0;
  #lastOrder = 0;

  constructor(limits: WriteLimits, now: () => number, onAbort: (write: WriteCall<Result>) => void) {
    this.#limits = limits;
    this.#now = now;
    this.#onAbort = onAbort;
  }

  /** Takes commands that stand one after the other in the log. */
  add({ commands, takesOwn }: NewWrite, limits: CallLimits, answer: Answer<Written<Result>>): void {
    const bytes = entriesBytes(commands);
    const count = commands.length;
    const overload = this.#overloadOf(count, bytes);
    if (overload !== null) return answer.reject(overload);
    const work = { count, bytes, order: this.#nextOrder(), takesOwn };
    this.#take(new ListCall(commands, work, limits, answer, this.#onAbort), count, bytes);
    this.#closeJoint(); // Who comes later stands later.
  }

  /**
   * Takes one command that nobody will abort, and copies it. Those that leave together have one deadline, that of the first: they come within
   * a turn, or while writes are held back, which is soon, and a clock that is read for each costs more.
   */
  addOne(command: Uint8Array, timeoutMs: number): Promise<Committed<Result>> {
    const bytes = entryBytes(command);
    const overload = this.#overloadOf(1, bytes);
    if (overload !== null) return Promise.reject(overload);
    const joint = this.#joint;
    if (joint !== null && this.#isOpen(joint, timeoutMs) && this.#fits(joint, bytes)) {
      joint.join(command);
      this.#pending += 1;
      this.#pendingBytes += bytes;
      return joint.last();
    }
    const limits = { timeoutMs, deadlineMs: this.#now() + timeoutMs };
    this.#closeJoint();
    const first = { command, order: this.#nextOrder(), expectedBytes: this.#jointBytes };
    const opened = new JointCall<Result>(first, limits);
    this.#take(opened, 1, bytes);
    this.#joint = opened;
    return opened.last();
  }

  /** Not if its time is over, which it may be while writes are held back: who joined would be told so, too, and keep his room for ever. */
  #isOpen(joint: JointCall<Result>, timeoutMs: number): boolean {
    return !joint.isDone && joint.timeoutMs === timeoutMs;
  }

  #fits(joint: JointCall<Result>, bytes: number): boolean {
    const { batchCountMax, batchBytesMax } = this.#limits;
    return joint.count < batchCountMax && joint.bytes + bytes <= batchBytesMax;
  }

  #nextOrder(): number {
    this.#lastOrder += 1;
    return this.#lastOrder;
  }

  #take(call: WriteCall<Result>, count: number, bytes: number): void {
    this.#calls.push(call);
    this.#pending += count;
    this.#pendingBytes += bytes;
  }

  /** Why no more can be taken; `null` if it can. */
  #overloadOf(count: number, bytes: number): RequestError | null {
    const { pendingMax, pendingBytesMax } = this.#limits;
    if (this.#pending + count > pendingMax)
      return overloaded(
        `${this.#pending} commands are waiting and ${count} more came, the limit is ${pendingMax}.`,
      );
    if (this.#pending > 0 && this.#pendingBytes + bytes > pendingBytesMax)
      return overloaded(
        `${this.#pendingBytes} bytes are waiting and ${bytes} more came, the limit is ${pendingBytesMax}.`,
      );
    return null;
  }

  /** A call is about to be answered, wherever it is. */
  release({ count, bytes }: WriteCall<Result>): void {
    this.#pending -= count;
    this.#pendingBytes -= bytes;
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** Commands without an answer; `waitingBytes` are those of the ones that wait here. */
  get unanswered(): Unanswered & { readonly waitingBytes: number } {
    let waiting = 0;
    let waitingBytes = 0;
    for (const { isDone, count, bytes } of this.#calls) {
      if (isDone) continue;
      waiting += count;
      waitingBytes += bytes;
    }
    return { waiting, waitingBytes, all: this.#pending };
  }

  /** The turn is over: who comes later is not joined with who is here. */
  endTurn(): void {
    this.#closeJoint();
  }

  /** Nothing joins it any more. */
  #closeJoint(): void {
    if (this.#joint !== null) this.#jointBytes = this.#joint.bytes;
    this.#joint = null;
  }

  /** All that wait, in batches of whole calls; they are not here any more. */
  takeGroups(): readonly WriteGroup<Result>[] {
    const groups: WriteGroup<Result>[] = [];
    const calls = this.takeAll();
    for (let at = 0; at < calls.length; ) {
      const end = this.#groupEnd(calls, at);
      groups.push(end - at === calls.length ? calls : calls.slice(at, end));
      at = end;
    }
    return groups;
  }

  #groupEnd(calls: WriteGroup<Result>, start: number): number {
    let end = start;
    for (let bytes = 0, count = 0; end < calls.length; end++) {
      const write = calls[end] as WriteCall<Result>;
      bytes += write.bytes;
      count += write.count;
      const isFull = bytes > this.#limits.batchBytesMax || count > this.#limits.batchCountMax;
      if (isFull && end > start) break;
    }
    return end;
  }

  /** All that wait; they are not here any more. */
  takeAll(): WriteGroup<Result> {
    const calls = this.#calls;
    this.#calls = [];
    this.#closeJoint();
    return calls;
  }

  /** These were here before, and wait again, each in its place. */
  putBack(calls: WriteGroup<Result>): void {
    this.#calls = [...calls, ...this.#calls].sort((a, b) => a.order - b.order);
  }

  /** Keeps those of which this is so. */
  keep(isKept: (write: WriteCall<Result>) => boolean): void {
    this.#calls = this.#calls.filter(isKept);
  }
}

function overloaded(what: string): RequestError {
  return requestError('RAFT_OVERLOADED', 'notCommitted', what);
}
