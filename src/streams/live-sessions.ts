import {
  decodeSession,
  encodeSession,
  resultKey,
  type SessionRow,
  sequenceOf,
  sessionKey,
  useKey,
} from './session-rows.ts';

/** The ordered keys and values that the table of sessions lives in; a `MachineStore` is one. */
export interface TableStore {
  get(key: Uint8Array): Uint8Array | undefined;
  put(key: Uint8Array, value: Uint8Array): void;
  /** As `put`, of a key that is not there; a store that has it writes nothing of what is deleted before it was flushed. */
  insert?(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
  range(bounds: {
    readonly from?: Uint8Array;
    readonly to?: Uint8Array;
  }): Iterable<readonly [Uint8Array, Uint8Array]>;
}

/** A session in memory, as its row says or will say once it is written. Only {@link LiveSessions} changes it. */
export interface LiveSession {
  readonly id: number;
  readonly lastUsedMs: number;
  readonly notedMs: number;
  readonly lowestUnanswered: number;
  /** How many results are kept. */
  readonly resultCount: number;
}

type Live = { -readonly [Field in keyof LiveSession]: LiveSession[Field] } & {
  /** By sequence; `null` until somebody asks for one. */
  results: Map<number, Uint8Array> | null;
  /** Its row is still to be written. */
  isChanged: boolean;
};

/** Results that stand further apart than this are found by a walk, and not one by one. */
const gapMax = 16;
/** What a session and a result take in memory beside their bytes, roughly. */
const sessionBytes = 512;
const resultBytes = 128;
const nothing = new Uint8Array(0);

/**
 * The sessions that are in use, in memory in front of their rows: each command asks for its session and for a result of
 * it, and forgets others, and to ask the store for all that takes ten times as long.
 *
 * Rows of results are written at once. The row of a session, which changes with each of its commands, is written by
 * {@link settle}, once for all that were applied together. Whoever was used least lately makes room.
 */
export class LiveSessions {
  readonly #store: TableStore;
  readonly #bytesMax: number;
  /** Those used least lately first. */
  readonly #sessions = new Map<number, Live>();
  readonly #changed: Live[] = [];
  #bytes = 0;

  /** @param bytesMax - beyond this, sessions are in their rows only, but for the one that is asked for. */
  constructor(store: TableStore, { bytesMax }: { readonly bytesMax: number }) {
    this.#store = store;
    this.#bytesMax = bytesMax;
  }

  /** A session, from memory or from its row. */
  get(id: number): LiveSession | undefined {
    return this.#sessions.get(id) ?? this.#load(id);
  }

  /** Begins a new one. */
  open(id: number, nowMs: number): void {
    const row = { lastUsedMs: nowMs, notedMs: nowMs, lowestUnanswered: 1, results: 0 };
    this.#change(this.#keep(id, row));
    this.#store.put(useKey(nowMs, id), nothing);
  }

  /** A command was admitted. */
  use(session: LiveSession, nowMs: number): void {
    const live = session as Live;
    live.lastUsedMs = nowMs;
    this.#change(live);
  }

  /** It stands under another time in the order of use. */
  note(session: LiveSession, notedMs: number): void {
    const live = session as Live;
    this.#store.delete(useKey(live.notedMs, live.id));
    this.#store.put(useKey(notedMs, live.id), nothing);
    live.notedMs = notedMs;
    this.#change(live);
  }

  /** What a command of a session gave, if that is kept. */
  resultOf(session: LiveSession, sequence: number): Uint8Array | undefined {
    return this.#resultsOf(session as Live).get(sequence);
  }

  /** Keeps what a command gave. */
  addResult(session: LiveSession, sequence: number, result: Uint8Array): void {
    const live = session as Live;
    this.#resultsOf(live).set(sequence, result);
    live.resultCount += 1;
    this.#bytes += resultBytes + result.length;
    const key = resultKey(live.id, sequence); // Nothing is there: otherwise the command had been answered.
    if (this.#store.insert === undefined) this.#store.put(key, result);
    else this.#store.insert(key, result);
    this.#change(live);
  }

  /** Forgets the results of lower sequences: they have arrived. */
  forgetBelow(session: LiveSession, lowestUnanswered: number): void {
    const live = session as Live;
    const results = this.#resultsOf(live);
    if (lowestUnanswered - live.lowestUnanswered <= results.size + gapMax) {
      for (let sequence = live.lowestUnanswered; sequence < lowestUnanswered; sequence++)
        this.#forget(live, sequence);
    } else {
      for (const sequence of results.keys()) if (sequence < lowestUnanswered) this.#forget(live, sequence);
    }
    live.lowestUnanswered = lowestUnanswered;
    this.#change(live);
  }

  /** Deletes a session and its results, and returns how many rows are gone by that. */
  drop(session: LiveSession): number {
    const live = session as Live;
    const rows = 1 + live.resultCount;
    for (const sequence of this.#resultsOf(live).keys()) this.#forget(live, sequence);
    this.#store.delete(useKey(live.notedMs, live.id));
    this.#store.delete(sessionKey(live.id));
    live.isChanged = false;
    this.#letGo(live);
    return rows;
  }

  /** Writes the rows of the sessions that have changed. */
  settle(): void {
    for (const session of this.#changed) {
      if (!session.isChanged) continue; // Dropped, or let go of.
      this.#write(session);
      this.#sessions.delete(session.id);
      this.#sessions.set(session.id, session);
    }
    this.#changed.length = 0;
    this.#makeRoom(undefined);
  }

  #change(session: Live): void {
    if (session.isChanged) return;
    session.isChanged = true;
    this.#changed.push(session);
  }

  #write(session: Live): void {
    const { id, lastUsedMs, notedMs, lowestUnanswered, resultCount } = session;
    session.isChanged = false;
    this.#store.put(
      sessionKey(id),
      encodeSession({ lastUsedMs, notedMs, lowestUnanswered, results: resultCount }),
    );
  }

  #forget(session: Live, sequence: number): void {
    const results = this.#resultsOf(session);
    const result = results.get(sequence);
    if (result === undefined) return;
    results.delete(sequence);
    session.resultCount -= 1;
    this.#bytes -= resultBytes + result.length;
    this.#store.delete(resultKey(session.id, sequence));
  }

  #keep(id: number, { lastUsedMs, notedMs, lowestUnanswered, results }: SessionRow): Live {
    const times = { lastUsedMs, notedMs, lowestUnanswered };
    const session: Live = { id, ...times, resultCount: results, results: null, isChanged: false };
    this.#sessions.set(id, session);
    this.#bytes += sessionBytes;
    this.#makeRoom(session);
    return session;
  }

  /** Lets go of those used least lately, but not of the one that is being used. */
  #makeRoom(inUse: Live | undefined): void {
    if (this.#bytes <= this.#bytesMax) return;
    for (const session of this.#sessions.values()) {
      if (session === inUse) continue;
      if (session.isChanged) this.#write(session);
      this.#letGo(session);
      if (this.#bytes <= this.#bytesMax) return;
    }
  }

  #letGo(session: Live): void {
    this.#sessions.delete(session.id);
    this.#bytes -= sessionBytes;
    for (const result of session.results?.values() ?? []) this.#bytes -= resultBytes + result.length;
  }

  #load(id: number): Live | undefined {
    const row = this.#store.get(sessionKey(id));
    return row === undefined ? undefined : this.#keep(id, decodeSession(row));
  }

  #resultsOf(session: Live): Map<number, Uint8Array> {
    if (session.results !== null) return session.results;
    const results = session.resultCount === 0 ? new Map<number, Uint8Array>() : this.#loadResults(session);
    session.results = results;
    for (const result of results.values()) this.#bytes += resultBytes + result.length;
    this.#makeRoom(session);
    return results;
  }

  /** Mostly they stand side by side, and to look for each is faster than to walk. */
  #loadResults({ id, lowestUnanswered, resultCount }: LiveSession): Map<number, Uint8Array> {
    const results = new Map<number, Uint8Array>();
    const lookedTo = lowestUnanswered + resultCount + gapMax;
    for (let sequence = lowestUnanswered; sequence < lookedTo && results.size < resultCount; sequence++) {
      const result = this.#store.get(resultKey(id, sequence));
      if (result !== undefined) results.set(sequence, result);
    }
    if (results.size === resultCount) return results;
    const rest = this.#store.range({ from: resultKey(id, lookedTo), to: resultKey(id + 1, 0) });
    for (const [key, result] of rest) results.set(sequenceOf(key), result);
    return results;
  }
}
