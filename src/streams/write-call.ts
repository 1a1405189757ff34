import { entriesBytes, entryBytes, type Index, plus, putEntry, type Term } from '../core/index.ts';
import { type Answer, Call, type CallLimits, pending, unabortable } from './call.ts';
import { badResult } from './errors.ts';
import { GrowingPayload } from './payload.ts';
import type { Committed } from './raft-node.ts';

/** Where a call's first command stands, and where the results of its commands are. */
export interface Written<Result> {
  readonly index: Index;
  readonly term: Term;
  /** Of the whole batch, in order; shared by its calls, so that none needs a list of its own. */
  readonly results: readonly Result[];
  /** Where the results of this call begin. */
  readonly offset: number;
}

/** What is known of a call's commands. */
export interface WriteWork {
  /** So many commands. */
  readonly count: number;
  /** Of the commands, each with its length. */
  readonly bytes: number;
  /** Calls leave in the order they came, also when they have to leave once more. */
  readonly order: number;
  /** Whether the caller encodes the results and changes nothing: it gets the machine's own. */
  readonly takesOwn: boolean;
}

/** Commands that stand one after the other in the log and have one answer. */
export abstract class WriteCall<Result> extends Call<Written<Result>> {
  /** So many commands. */
  count: number;
  /** Of the commands, each with its length. */
  bytes: number;
  /** Calls leave in the order they came, also when they have to leave once more. */
  readonly order: number;
  /** Whether the caller encodes the results and changes nothing: it gets the machine's own. */
  readonly takesOwn: boolean;
  /** When it left, in milliseconds, since when it is for others to decide what becomes of it; `null` while it is here. */
  sentAtMs: number | null = null;

  constructor(
    work: WriteWork,
    limits: CallLimits,
    answer: Answer<Written<Result>>,
    onAbort: (write: WriteCall<Result>) => void,
  ) {
    super(limits, answer, onAbort as (call: Call<Written<Result>>) => void); // It is told of this very call.
    this.count = work.count;
    this.bytes = work.bytes;
    this.order = work.order;
    this.takesOwn = work.takesOwn;
  }

  /** As {@link bytes}, of the commands as they are now. */
  abstract get payloadBytes(): number;

  /** Writes the commands to the payload of a batch, from `at` on. Returns where they end. */
  abstract putInto(payload: Uint8Array, at: number): number;

  /** Its commands are committed, the first of them at `index`, and their results can't be read. */
  rejectCommitted(index: number, cause: unknown): void {
    this.reject(badResult(index, cause, this.count));
  }
}

/** A `writeAll`, what a client brings in one frame, or a `write` that may be aborted. */
export class ListCall<Result> extends WriteCall<Result> {
  readonly #commands: readonly Uint8Array[];

  constructor(
    commands: readonly Uint8Array[],
    work: WriteWork,
    limits: CallLimits,
    answer: Answer<Written<Result>>,
    onAbort: (write: WriteCall<Result>) => void,
  ) {
    super(work, limits, answer, onAbort);
    this.#commands = commands;
  }

  override get payloadBytes(): number {
    return entriesBytes(this.#commands);
  }

  override putInto(payload: Uint8Array, start: number): number {
    let at = start;
    for (const command of this.#commands) at = putEntry(payload, at, command);
    return at;
  }
}

/** What stands in place of the results of a joint call that are committed and can't be read: every write has its own error. */
interface Unread {
  readonly index: number;
  readonly cause: unknown;
  readonly results: null;
}

/**
 * The commands that single writes of one event-loop turn bring, as one call: its answer is one promise, from which
 * that of each write derives. A promise with an answer of its own for each takes three times the memory, which at
 * 70,000 writes a second is a third of the processor's time for the garbage collector (`npm run bench:catch-up`).
 */
export class JointCall<Result> extends WriteCall<Result> {
  readonly timeoutMs: number;
  readonly #written: Promise<Written<Result> | Unread>;
  readonly #payload: GrowingPayload;

  constructor(
    first: { readonly command: Uint8Array; readonly order: number; readonly expectedBytes: number },
    { timeoutMs, deadlineMs }: { readonly timeoutMs: number; readonly deadlineMs: number },
  ) {
    const { promise, answer } = pending<Written<Result> | Unread>();
    const work = { count: 0, bytes: 0, order: first.order, takesOwn: false };
    super(work, { deadlineMs, signal: undefined }, answer, unabortable);
    this.timeoutMs = timeoutMs;
    this.#written = promise;
    this.#payload = new GrowingPayload(first.expectedBytes);
    this.join(first.command);
  }

  /** Takes a copy of one more command, before any of them leaves. */
  join(command: Uint8Array): void {
    this.#payload.add(command);
    this.count += 1;
    this.bytes += entryBytes(command);
  }

  /** The payload of a batch of this call alone. Nothing joins it any more. */
  get payload(): Uint8Array {
    return this.#payload.bytes;
  }

  override get payloadBytes(): number {
    return this.bytes;
  }

  override putInto(payload: Uint8Array, at: number): number {
    payload.set(this.payload, at);
    return at + this.bytes;
  }

  /** What becomes of the command that joined last. */
  last(): Promise<Committed<Result>> {
    const place = this.count - 1;
    return this.#written.then((written) => {
      if (written.results === null) throw badResult(written.index + place, written.cause);
      const { index, term, results, offset } = written;
      return { index: plus(index, place), term, result: results[offset + place] as Result };
    });
  }

  override rejectCommitted(index: number, cause: unknown): void {
    const unread: Unread = { index, cause, results: null };
    this.resolve(unread as unknown as Written<Result>); // Only `last` reads it.
  }
}
