import { getUint53, setUint53 } from '../core/index.ts';

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
  /** Sessions at once; beyond it, opening one is refused. Default 10,000. */
  readonly sessionsMax: number;
  /** Unanswered results of one session; beyond it, its commands are refused. Default 1,024. */
  readonly resultsMax: number;
}

/** What a session has told about itself. */
interface Session {
  readonly lastUsedMs: number;
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

/** Names a command for ever: retried, it has the same. */
export interface SessionStamp {
  readonly session: number;
  /** 1, 2, 3 … within the session. */
  readonly sequence: number;
  /** The lowest sequence whose answer the client has not got yet; results below it are dropped. */
  readonly lowestUnanswered: number;
}

const sessionTag = 1;
const resultTag = 2;
const gapMax = 16;

/**
 * Who has executed what (thesis §6.3): the table of (session, sequence) → result. It is part of the state
 * machine's data and of its snapshots, and time is the log's clock, so every node has the same table.
 */
export class SessionTable {
  readonly #store: TableStore;
  readonly #limits: SessionLimits;
  #count = 0;

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
    this.#put(session, { lastUsedMs: nowMs, lowestUnanswered: 1, results: 0 });
    return true;
  }

  /** Whether a command may execute now, or has already. */
  admit({ session, sequence, lowestUnanswered }: SessionStamp, nowMs: number): Admission {
    const known = this.#get(session);
    if (known === undefined || this.#isExpired(known, nowMs)) return { type: 'expired' };
    if (sequence < Math.max(known.lowestUnanswered, lowestUnanswered)) return { type: 'expired' }; // Answered.
    const result = this.#store.get(resultKey(session, sequence));
    const next = this.#forgetBelow(session, known, lowestUnanswered);
    this.#put(session, { ...next, lastUsedMs: nowMs });
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

  #forgetBelow(session: number, known: Session, lowestUnanswered: number): Session {
    if (lowestUnanswered <= known.lowestUnanswered) return known;
    const old = this.#resultsBetween(session, known.lowestUnanswered, lowestUnanswered);
    for (const key of old) this.#store.delete(key);
    return { ...known, lowestUnanswered, results: known.results - old.length };
  }

  /** Mostly there is one, and to look for it is faster than to walk. */
  #resultsBetween(session: number, from: number, to: number): readonly Uint8Array[] {
    if (to - from > gapMax) {
      const walked = this.#store.range({ from: resultKey(session, from), to: resultKey(session, to) });
      return Array.from(walked, ([key]) => key);
    }
    const keys = Array.from({ length: to - from }, (_, offset) => resultKey(session, from + offset));
    return keys.filter((key) => this.#store.get(key) !== undefined);
  }

  #isExpired({ lastUsedMs }: Session, nowMs: number): boolean {
    return nowMs - lastUsedMs > this.#limits.sessionTtlMs;
  }

  #dropExpired(nowMs: number): void {
    const all = [...this.#store.range({ from: tagKey(sessionTag), to: tagKey(resultTag) })];
    for (const [key, value] of all) {
      if (!this.#isExpired(decode(value), nowMs)) continue;
      const session = getUint53(viewOf(key), 1);
      const results = [...this.#store.range({ from: resultKey(session, 0), to: resultKey(session + 1, 0) })];
      for (const [result] of results) this.#store.delete(result);
      this.#store.delete(key);
      this.#count -= 1;
    }
  }

  #get(session: number): Session | undefined {
    const value = this.#store.get(sessionKey(session));
    return value === undefined ? undefined : decode(value);
  }

  #put(session: number, { lastUsedMs, lowestUnanswered, results }: Session): void {
    const value = new Uint8Array(24);
    const view = viewOf(value);
    setUint53(view, 0, lastUsedMs);
    setUint53(view, 8, lowestUnanswered);
    setUint53(view, 16, results);
    this.#store.put(sessionKey(session), value);
  }
}

function decode(value: Uint8Array): Session {
  const view = viewOf(value);
  return {
    lastUsedMs: getUint53(view, 0),
    lowestUnanswered: getUint53(view, 8),
    results: getUint53(view, 16),
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
