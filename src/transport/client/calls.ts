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

/** The two ends of a promise. */
export interface Settle {
  // biome-ignore lint/suspicious/noExplicitAny: a call is settled with what its caller waits for.
  readonly resolve: (value: any) => void;
  readonly reject: (error: unknown) => void;
}

/** One request of a caller, from the call to its one answer (rule 22). One object, since there is one for each. */
abstract class Call {
  readonly bytes: Uint8Array;
  readonly deadlineMs: number;
  /** Calls leave in the order they came, also when they have to leave once more. */
  readonly order: number;
  readonly settle: Settle;
  /** What to do with the caller's signal once it is answered. */
  unwatch: (() => void) | null = null;
  /** It has been answered. */
  isDone = false;
  /** A server has it, as far as is known. */
  isSent = false;

  constructor(bytes: Uint8Array, limits: { deadlineMs: number; order: number }, settle: Settle) {
    this.bytes = bytes;
    this.deadlineMs = limits.deadlineMs;
    this.order = limits.order;
    this.settle = settle;
  }
}

/** A command on its way. */
export class WriteCall extends Call {
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
export class ReadCall extends Call {
  readonly type = 'read';
  readonly consistency: Consistency;
  readonly index: number;

  constructor(
    bytes: Uint8Array,
    limits: { deadlineMs: number; order: number; consistency: Consistency; index: number },
    settle: Settle,
  ) {
    super(bytes, limits, settle);
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
