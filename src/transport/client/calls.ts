import type { Consistency } from './protocol.ts';

/** A command is committed and applied. */
export interface ClientCommitted<Result> {
  readonly index: number;
  readonly term: number;
  readonly result: Result;
}

/** An answer, and the index that it reflects at least. */
export interface ClientReadAnswer<Answer> {
  readonly value: Answer;
  readonly index: number;
  /**
   * How old the answer may be: milliseconds since the node that answered last heard from a leader; 0 for a linearizable
   * read, `null` if it has not heard from one since it started.
   */
  readonly ageMs: number | null;
}

// biome-ignore lint/suspicious/noExplicitAny: a call is resolved with what its caller waits for.
type Resolve = (value: any) => void;
type Reject = (error: unknown) => void;

const noEnd = (): void => undefined;
/** The two ends of the promise made last. One function takes them for all promises, where each would make its own. */
let lastResolve: Resolve = noEnd;
let lastReject: Reject = noEnd;
const takeEnds = (resolve: Resolve, reject: Reject): void => {
  lastResolve = resolve;
  lastReject = reject;
};

/** One request of a caller, from the call to its one answer (rule 22). One object, since there is one for each. */
abstract class Call {
  /** Empty once it was given up before it was sent. */
  bytes: Uint8Array;
  readonly deadlineMs: number;
  /** Calls leave in the order they came, also when they have to leave once more. */
  readonly order: number;
  /** What to do with the caller's signal once it is answered. */
  unwatch: (() => void) | null = null;
  /** It has been answered. */
  isDone = false;
  /** A server has it, as far as is known. */
  isSent = false;

  constructor(bytes: Uint8Array, { deadlineMs, order }: { deadlineMs: number; order: number }) {
    this.bytes = bytes;
    this.deadlineMs = deadlineMs;
    this.order = order;
  }
}

/** A request that somebody waits for. */
abstract class AwaitedCall extends Call {
  // biome-ignore lint/suspicious/noExplicitAny: the kinds of calls have answers of their own.
  readonly answer: Promise<any> = new Promise(takeEnds);
  readonly resolve = lastResolve;
  readonly reject = lastReject;

  constructor(bytes: Uint8Array, place: { deadlineMs: number; order: number }) {
    super(bytes, place);
    lastResolve = noEnd; // The last promise, and what it was resolved with, would stay in memory for good.
    lastReject = noEnd;
  }
}

/** A command on its way. */
export class WriteCall extends AwaitedCall {
  readonly type = 'write';
  /** Its place in the session; 0 before it has one. */
  sequence = 0;
  /** The session in which it has it. */
  session = 0;
  /** An earlier copy may have been carried out: nothing that becomes of a later one makes it `notCommitted`. */
  mayBeDone = false;
}

/** What opens a session. */
export class OpenCall extends Call {
  readonly type = 'open';
}

/** A query on its way. */
export class ReadCall extends AwaitedCall {
  readonly type = 'read';
  readonly consistency: Consistency;
  readonly index: number;

  constructor(
    bytes: Uint8Array,
    limits: { deadlineMs: number; order: number; consistency: Consistency; index: number },
  ) {
    super(bytes, limits);
    this.consistency = limits.consistency;
    this.index = limits.index;
  }
}

/** Any request. */
export type AnyCall = WriteCall | OpenCall | ReadCall;

/** What is known of a request that nobody waits for any more (rule 22). */
export function outcomeOf(call: WriteCall | ReadCall): 'notCommitted' | 'unknown' {
  return call.type === 'write' && (call.isSent || call.mayBeDone) ? 'unknown' : 'notCommitted';
}
