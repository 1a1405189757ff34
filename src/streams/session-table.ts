import { getUint53, setUint53 } from '../core/index.ts';
import type { SessionStamp } from '../transport/session-codec.ts';

/** The ordered keys and values that a {@link SessionTable} lives in; a `MachineStore` is one. */
export interface TableStore {
  get(key: Uint8Array): Uint8Array | undefined;
  put(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
  range(bounds: {
    readonly from?: Uint8Array;
    readonly to?: Uint8Array;
  }): Iterable<readonly [Uint8Array, Uint8Array]>;
}

/** Bounds of the table of client sessions; part of the replicated behaviour, so the same on every node. */
export interface SessionLimits {
  /** A session that nobody used for so long, on the log's clock, is gone. Default one hour. */
  readonly sessionTtlMs: number;
  /** Sessions at once; beyond it, opening one is refused unless others have expired. Default 10,000. */
  readonly sessionsMax: number;
  /** Unanswered results of one session; beyond it, its commands are refused. Default 1,024. */
  readonly resultsMax: number;
}

/** What a session has told about itself. */
interface Session {
  readonly lastUsedMs: number;
  /** Under this time it stands in the order of use: when it was used last, or a little before. */
  readonly notedMs: number;
  /** Lower sequences have been answered: they never execute again. */
  readonly lowestUnanswered: number;
  /** How many results are kept. */
  readonly results: number;
}

/** What to do with a command of a session. */
export type Admission =
  | { readonly type: 'execute' }
  | { readonly type: 'answered'; readonly result: Uint8Array }
  | { readonly type: 'expired' }
  | { readonly type: 'overloaded' };

export type { SessionStamp };

/*
 * The first byte of a key says what is under it. Numbers are u64, big-endian.
 *
 * | key | value |
 * |---|---|
 * | `0x01`, session | when it was used last and is noted, its lowest unanswered sequence, how many results it has |
 * | `0x02`, session, sequence | the result |
 * | `0x03`, time noted, session | nothing: the sessions in the order of use |
 */
const sessionTag = 1;
const resultTag = 2;
const useTag = 3;
const endTag = 4;

const gapMax = 16;
/** Opening a session drops no further one that has expired once so many rows are gone. */
const droppedRowsMax = 16;
/** A session that is used is noted anew no more often than so many times in its time to live. */
const notesPerTtl = 64;
const nothing = new Uint8Array(0);

/**
 * Who has executed what (thesis §6.3): the table of (session, sequence) → result. It is part of the state
 * machine's data and of its snapshots, and time is the log's clock, so every node has the same table.
 *
 * A command is applied on every node, in the event loop: what it costs does not depend on how many sessions there
 * are. So opening one drops a few of those that have expired, the idlest first, and leaves the rest to the next; it is
 * refused if those few have all been used a little later than the order says, which is then put right.
 */
export class SessionTable {
  readonly #store: TableStore;
  readonly #limits: SessionLimits;
  #count = 0;
  /** No session is noted under a lower key. Not part of the table: it only saves looking where nothing is. */
  #idlest = useKey(0, 0);

  constructor(store: TableStore, limits: SessionLimits) {
    this.#store = store;
    this.#limits = limits;
    for (const _ of store.range({ from: tagKey(sessionTag), to: tagKey(resultTag) })) this.#count += 1;
  }

  /** Opens a session, whose id is the index of the command that opens it; `false` if the table is full. */
  open(session: number, nowMs: number): boolean {
    if (this.#count >= this.#limits.sessionsMax) this.#dropExpired(nowMs);
    if (this.#count >= this.#limits.sessionsMax) return false;
    this.#count += 1;
    this.#put(session, { lastUsedMs: nowMs, notedMs: nowMs, lowestUnanswered: 1, results: 0 });
    this.#store.put(useKey(nowMs, session), nothing);
    return true;
  }

  /** Whether a command may execute now, or has already. */
  admit({ session, sequence, lowestUnanswered }: SessionStamp, nowMs: number): Admission {
    const known = this.#get(session);
    if (known === undefined || this.#isExpired(known, nowMs)) return { type: 'expired' };
    if (sequence < Math.max(known.lowestUnanswered, lowestUnanswered)) return { type: 'expired' }; // Answered.
    const result = this.#store.get(resultKey(session, sequence));
    const next = this.#forgetBelow(session, known, lowestUnanswered);
    this.#put(session, this.#use(session, next, nowMs));
    if (result !== undefined) return { type: 'answered', result };
    return next.results >= this.#limits.resultsMax ? { type: 'overloaded' } : { type: 'execute' };
  }

  /** Keeps the result of a command that has just executed. */
  keep({ session, sequence }: SessionStamp, result: Uint8Array): void {
    const known = this.#get(session);
    if (known === undefined) return;
    this.#store.put(resultKey(session, sequence), result);
    this.#put(session, { ...known, results: known.results + 1 });
  }

  #use(session: number, known: Session, nowMs: number): Session {
    const isNotedLately = nowMs - known.notedMs < this.#limits.sessionTtlMs / notesPerTtl;
    return isNotedLately ? { ...known, lastUsedMs: nowMs } : this.#note(session, known, nowMs);
  }

  #note(session: number, known: Session, lastUsedMs: number): Session {
    this.#store.delete(useKey(known.notedMs, session));
    this.#store.put(useKey(lastUsedMs, session), nothing);
    return { ...known, lastUsedMs, notedMs: lastUsedMs };
  }

  #forgetBelow(session: number, known: Session, lowestUnanswered: number): Session {
    if (lowestUnanswered <= known.lowestUnanswered) return known;
    const old = this.#resultsBelow(session, known, lowestUnanswered);
    for (const key of old) this.#store.delete(key);
    return { ...known, lowestUnanswered, results: known.results - old.length };
  }

  /** Mostly they stand side by side, and to look for each is faster than to walk. */
  #resultsBelow(session: number, { lowestUnanswered, results }: Session, to: number): readonly Uint8Array[] {
    const keys: Uint8Array[] = [];
    const lookedTo = Math.min(to, lowestUnanswered + results + gapMax);
    for (let at = lowestUnanswered; at < lookedTo && keys.length < results; at++) {
      const key = resultKey(session, at);
      if (this.#store.get(key) !== undefined) keys.push(key);
    }
    if (lookedTo === to || keys.length === results) return keys;
    const rest = this.#store.range({ from: resultKey(session, lookedTo), to: resultKey(session, to) });
    for (const [key] of rest) keys.push(key);
    return keys;
  }

  #isExpired({ lastUsedMs }: Pick<Session, 'lastUsedMs'>, nowMs: number): boolean {
    return nowMs - lastUsedMs > this.#limits.sessionTtlMs;
  }

  #dropExpired(nowMs: number): void {
    let rows = 0;
    for (const session of this.#idleSessions(nowMs)) {
      if (rows >= droppedRowsMax) return;
      const known = this.#get(session) as Session;
      if (this.#isExpired(known, nowMs)) rows += this.#drop(session, known);
      else this.#put(session, this.#note(session, known, known.lastUsedMs)); // Used since it was noted.
    }
  }

  /** Some that were noted so long ago that they may have expired, the idlest first; none without a look. */
  #idleSessions(nowMs: number): readonly number[] {
    const isDue = (key: Uint8Array) => this.#isExpired({ lastUsedMs: getUint53(viewOf(key), 1) }, nowMs);
    if (!isDue(this.#idlest)) return [];
    const keys: Uint8Array[] = [];
    for (const [key] of this.#store.range({ from: this.#idlest, to: tagKey(endTag) })) {
      keys.push(key);
      if (keys.length === droppedRowsMax || !isDue(key)) break;
    }
    this.#idlest = keys[0] ?? this.#idlest;
    return keys.filter(isDue).map((key) => getUint53(viewOf(key), 9));
  }

  /** Returns how many rows are gone by that. */
  #drop(session: number, known: Session): number {
    const results = this.#resultsBelow(session, known, Number.MAX_SAFE_INTEGER);
    for (const key of results) this.#store.delete(key);
    this.#store.delete(useKey(known.notedMs, session));
    this.#store.delete(sessionKey(session));
    this.#count -= 1;
    return 1 + results.length;
  }

  #get(session: number): Session | undefined {
    const value = this.#store.get(sessionKey(session));
    return value === undefined ? undefined : decode(value);
  }

  #put(session: number, { lastUsedMs, notedMs, lowestUnanswered, results }: Session): void {
    const value = new Uint8Array(32);
    const view = viewOf(value);
    setUint53(view, 0, lastUsedMs);
    setUint53(view, 8, notedMs);
    setUint53(view, 16, lowestUnanswered);
    setUint53(view, 24, results);
    this.#store.put(sessionKey(session), value);
  }
}

function decode(value: Uint8Array): Session {
  const view = viewOf(value);
  return {
    lastUsedMs: getUint53(view, 0),
    notedMs: getUint53(view, 8),
    lowestUnanswered: getUint53(view, 16),
    results: getUint53(view, 24),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tagKey(tag: number): Uint8Array {
  return Uint8Array.of(tag);
}

function sessionKey(session: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = sessionTag;
  setUint53(viewOf(key), 1, session);
  return key;
}

function resultKey(session: number, sequence: number): Uint8Array {
  const key = new Uint8Array(17);
  key[0] = resultTag;
  setUint53(viewOf(key), 1, session);
  setUint53(viewOf(key), 9, sequence);
  return key;
}

function useKey(notedMs: number, session: number): Uint8Array {
  const key = new Uint8Array(17);
  key[0] = useTag;
  setUint53(viewOf(key), 1, notedMs);
  setUint53(viewOf(key), 9, session);
  return key;
}
