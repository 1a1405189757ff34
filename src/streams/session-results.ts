import { resultKey, sequenceOf, type TableStore } from './session-rows.ts';

/** Results that stand further apart than this are found by a walk, and not one by one. */
const gapMax = 16;

/**
 * Which results of a session are kept. They are in the store, and only their sequences here: mostly those of all, so that
 * it need not be asked whether a new command has a result.
 */
export class SessionResults {
  readonly #store: TableStore;
  readonly #session: number;
  /** Those that were kept since the session is in memory. */
  readonly #known = new Set<number>();
  /** So many more are in the store. */
  #unknown: number;

  constructor(store: TableStore, session: number, count: number) {
    this.#store = store;
    this.#session = session;
    this.#unknown = count;
  }

  /** How many are kept. */
  get count(): number {
    return this.#known.size + this.#unknown;
  }

  /** How many sequences are in memory. */
  get knownCount(): number {
    return this.#known.size;
  }

  /** What a command gave, if that is kept. */
  get(sequence: number): Uint8Array | undefined {
    if (this.#unknown === 0 && !this.#known.has(sequence)) return undefined;
    return this.#store.get(resultKey(this.#session, sequence));
  }

  /** Keeps what a command gave that has no result yet. */
  add(sequence: number, result: Uint8Array): void {
    const key = resultKey(this.#session, sequence);
    if (this.#store.insert === undefined) this.#store.put(key, result);
    else this.#store.insert(key, result);
    this.#known.add(sequence);
  }

  /** Forgets those from one sequence to below another; there are none below `from`. */
  forget(from: number, to: number): void {
    if (this.#unknown > 0) this.#forgetUnknown(from, to);
    if (to - from <= this.#known.size + gapMax) {
      for (let sequence = from; sequence < to; sequence++) this.#forgetKnown(sequence);
    } else {
      for (const sequence of this.#known) if (sequence < to) this.#forgetKnown(sequence);
    }
  }

  #forgetKnown(sequence: number): void {
    if (this.#known.delete(sequence)) this.#store.delete(resultKey(this.#session, sequence));
  }

  /** Mostly they stand side by side, and to look for each is faster than to walk. */
  #forgetUnknown(from: number, to: number): void {
    const lookedTo = Math.min(to, from + this.count + gapMax);
    for (let sequence = from; sequence < lookedTo && this.#unknown > 0; sequence++) {
      const key = resultKey(this.#session, sequence);
      if (!this.#known.has(sequence) && this.#store.get(key) !== undefined) this.#deleteUnknown(key);
    }
    if (lookedTo === to || this.#unknown === 0) return;
    const bounds = { from: resultKey(this.#session, lookedTo), to: resultKey(this.#session, to) };
    const keys = Array.from(this.#store.range(bounds), ([key]) => key);
    for (const key of keys) if (!this.#known.has(sequenceOf(key))) this.#deleteUnknown(key);
  }

  #deleteUnknown(key: Uint8Array): void {
    this.#store.delete(key);
    this.#unknown -= 1;
  }
}
