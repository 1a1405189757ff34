import { SessionResults } from './session-results.ts';
import { encodeSession, type SessionRow, sessionKey, type TableStore, useKey } from './session-rows.ts';

/** Beyond every sequence. */
const sequencesEnd = Number.MAX_SAFE_INTEGER + 1;
const nothing = new Uint8Array(0);

/** A session in memory. Its own row, which each of its commands changes, is written when somebody says so. */
export class LiveSession {
  readonly id: number;
  readonly #store: TableStore;
  readonly #results: SessionResults;
  #lastUsedMs: number;
  #notedMs: number;
  #lowestUnanswered: number;

  constructor(store: TableStore, id: number, row: SessionRow) {
    this.id = id;
    this.#store = store;
    this.#lastUsedMs = row.lastUsedMs;
    this.#notedMs = row.notedMs;
    this.#lowestUnanswered = row.lowestUnanswered;
    this.#results = new SessionResults(store, id, row.results);
  }

  /** A new one, which stands in the order of use. */
  static open(store: TableStore, id: number, nowMs: number): LiveSession {
    store.put(useKey(nowMs, id), nothing);
    return new LiveSession(store, id, { lastUsedMs: nowMs, notedMs: nowMs, lowestUnanswered: 1, results: 0 });
  }

  get lastUsedMs(): number {
    return this.#lastUsedMs;
  }

  /** Under this time it stands in the order of use. */
  get notedMs(): number {
    return this.#notedMs;
  }

  /** Lower sequences have been answered. */
  get lowestUnanswered(): number {
    return this.#lowestUnanswered;
  }

  get resultCount(): number {
    return this.#results.count;
  }

  /** How many sequences of results it has in memory. */
  get knownCount(): number {
    return this.#results.knownCount;
  }

  /** What a command gave, if that is kept. */
  resultOf(sequence: number): Uint8Array | undefined {
    return this.#results.get(sequence);
  }

  /** A command was admitted. */
  use(nowMs: number): void {
    this.#lastUsedMs = nowMs;
  }

  /** It stands under another time in the order of use. */
  note(notedMs: number): void {
    this.#store.delete(useKey(this.#notedMs, this.id));
    this.#store.put(useKey(notedMs, this.id), nothing);
    this.#notedMs = notedMs;
  }

  /** Keeps what a command gave that has no result yet. */
  keep(sequence: number, result: Uint8Array): void {
    this.#results.add(sequence, result);
  }

  /** The answers to lower sequences have arrived: their results go. */
  forgetBelow(lowestUnanswered: number): void {
    this.#results.forget(this.#lowestUnanswered, lowestUnanswered);
    this.#lowestUnanswered = lowestUnanswered;
  }

  /** Writes its row. */
  write(): void {
    const { lastUsedMs, notedMs, lowestUnanswered, resultCount: results } = this;
    this.#store.put(sessionKey(this.id), encodeSession({ lastUsedMs, notedMs, lowestUnanswered, results }));
  }

  /** Deletes all its rows, and returns how many. It is not to be used any more. */
  delete(): number {
    const rows = 1 + this.resultCount;
    this.#results.forget(this.#lowestUnanswered, sequencesEnd);
    this.#store.delete(useKey(this.#notedMs, this.id));
    this.#store.delete(sessionKey(this.id));
    return rows;
  }
}
