import type { SessionStamp } from '../transport/session-codec.ts';
import type { LiveSession } from './live-session.ts';
import { LiveSessions } from './live-sessions.ts';
import { sessionRows, type TableStore, useKey, useOf, usesEnd } from './session-rows.ts';

export type { SessionStamp };

/** Bounds of the table of client sessions; part of the replicated behaviour, so the same on every node. */
export interface SessionLimits {
  /** A session that nobody used for so long, on the log's clock, is gone. Default one hour. */
  readonly sessionTtlMs: number;
  /** Sessions at once; beyond it, opening one is refused unless others have expired. Default 10,000. */
  readonly sessionsMax: number;
  /** Unanswered results of one session; beyond it, its commands are refused. Default 1,024. */
  readonly resultsMax: number;
}

/** What to do with a command of a session. */
export type Admission =
  | { readonly type: 'execute' }
  | { readonly type: 'answered'; readonly result: Uint8Array }
  | { readonly type: 'expired' }
  | { readonly type: 'overloaded' };

/** Made once, since there is one for each command. */
const execute: Admission = { type: 'execute' };

/** Opening a session drops no further one that has expired once so many rows are gone. */
const droppedRowsMax = 16;
/** A session that is used is noted anew no more often than so many times in its time to live. */
const notesPerTtl = 64;
/** What sessions may take in memory; the rest are in their rows only. */
const liveBytesMax = 16 * 1024 * 1024;

/**
 * Who has executed what (thesis §6.3): the table of (session, sequence) → result. It is part of the state
 * machine's data and of its snapshots, and time is the log's clock, so every node has the same table. What is applied
 * together ends with {@link settle}: until then the rows of sessions lag behind.
 *
 * A command is applied on every node, in the event loop: what it costs does not depend on how many sessions there
 * are. So opening one drops a few of those that have expired, the idlest first, and leaves the rest to the next; it is
 * refused if those few have all been used a little later than the order says, which is then put right.
 */
export class SessionTable {
  readonly #store: TableStore;
  readonly #limits: SessionLimits;
  readonly #live: LiveSessions;
  #count = 0;
  /** No session is noted under a lower key. Not part of the table: it only saves looking where nothing is. */
  #idlest = useKey(0, 0);

  constructor(store: TableStore, limits: SessionLimits, bytesMax = liveBytesMax) {
    this.#store = store;
    this.#limits = limits;
    this.#live = new LiveSessions(store, { bytesMax });
    for (const _ of store.range(sessionRows)) this.#count += 1;
  }

  /** Opens a session, whose id is the index of the command that opens it; `false` if the table is full. */
  open(session: number, nowMs: number): boolean {
    if (this.#count >= this.#limits.sessionsMax) this.#dropExpired(nowMs);
    if (this.#count >= this.#limits.sessionsMax) return false;
    this.#count += 1;
    this.#live.open(session, nowMs);
    return true;
  }

  /** Whether a command may execute now, or has already. */
  admit({ session, sequence, lowestUnanswered }: SessionStamp, nowMs: number): Admission {
    const known = this.#live.get(session);
    if (known === undefined || this.#isExpired(known, nowMs)) return { type: 'expired' };
    if (sequence < Math.max(known.lowestUnanswered, lowestUnanswered)) return { type: 'expired' }; // Answered.
    const result = known.resultOf(sequence);
    if (lowestUnanswered > known.lowestUnanswered) known.forgetBelow(lowestUnanswered);
    known.use(nowMs);
    if (nowMs - known.notedMs >= this.#limits.sessionTtlMs / notesPerTtl) known.note(nowMs);
    if (result !== undefined) return { type: 'answered', result };
    return known.resultCount >= this.#limits.resultsMax ? { type: 'overloaded' } : execute;
  }

  /** Keeps the result of a command that has just executed. */
  keep({ session, sequence }: SessionStamp, result: Uint8Array): void {
    this.#live.get(session)?.keep(sequence, result);
  }

  /** Makes the rows those of the table. */
  settle(): void {
    this.#live.settle();
  }

  #isExpired({ lastUsedMs }: { readonly lastUsedMs: number }, nowMs: number): boolean {
    return nowMs - lastUsedMs > this.#limits.sessionTtlMs;
  }

  #dropExpired(nowMs: number): void {
    let rows = 0;
    for (const id of this.#idleSessions(nowMs)) {
      if (rows >= droppedRowsMax) return;
      const session = this.#live.get(id) as LiveSession;
      if (this.#isExpired(session, nowMs)) rows += this.#drop(session);
      else session.note(session.lastUsedMs); // Used since it was noted.
    }
  }

  /** Some that were noted so long ago that they may have expired, the idlest first; none without a look. */
  #idleSessions(nowMs: number): readonly number[] {
    const isDue = (key: Uint8Array) => this.#isExpired({ lastUsedMs: useOf(key).notedMs }, nowMs);
    if (!isDue(this.#idlest)) return [];
    const keys: Uint8Array[] = [];
    for (const [key] of this.#store.range({ from: this.#idlest, to: usesEnd })) {
      keys.push(key);
      if (keys.length === droppedRowsMax || !isDue(key)) break;
    }
    this.#idlest = keys[0] ?? this.#idlest;
    return keys.filter(isDue).map((key) => useOf(key).session);
  }

  /** Returns how many rows are gone by that. */
  #drop(session: LiveSession): number {
    this.#count -= 1;
    return this.#live.delete(session);
  }
}
