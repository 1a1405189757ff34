import { type Index, plus } from '../core/index.ts';
import { decodeChunk, encodeChunk, takeChunk } from '../storage/snapshot-chunk.ts';
import type { MachineStore } from '../storage/storage.ts';
import {
  type SessionCommand,
  type SessionResult,
  sessionCommandCodec,
  sessionResultCodec,
} from '../transport/session-codec.ts';
import { isPromise } from './is-promise.ts';
import { MemoryTable } from './memory-table.ts';
import { isRow, type TableStore } from './session-rows.ts';
import { type SessionLimits, SessionTable } from './session-table.ts';
import type { Codec, LogPosition, StateMachine } from './state-machine.ts';

export type { SessionCommand, SessionResult };

/** The defaults of {@link SessionLimits}. */
export const defaultSessionLimits: SessionLimits = {
  sessionTtlMs: 3_600_000,
  sessionsMax: 10_000,
  resultsMax: 1024,
};

/**
 * Wraps a state machine in client sessions (thesis §6.3): a command with a stamp is applied once, and a retry
 * gets the first result. A session is opened through the log, and its id is its index.
 *
 * The table is part of the machine's data: in the same store, the same transactions, the same snapshots.
 */
export function withSessions<Command, Result, Query, Answer>(
  machine: StateMachine<Command, Result, Query, Answer>,
  limits: Partial<SessionLimits> = {},
): StateMachine<SessionCommand<Command>, SessionResult<Result>, Query, Answer> {
  return new SessionMachine(machine, { ...defaultSessionLimits, ...limits });
}

/** The first byte of a machine's own keys; the table's are higher. */
const innerTag = 0;

class SessionMachine<Command, Result, Query, Answer>
  implements StateMachine<SessionCommand<Command>, SessionResult<Result>, Query, Answer>
{
  readonly keeps: StateMachine<Command, Result, Query, Answer>['keeps'];
  readonly command: Codec<SessionCommand<Command>>;
  readonly result: Codec<SessionResult<Result>>;
  readonly #machine: StateMachine<Command, Result, Query, Answer>;
  readonly #limits: SessionLimits;
  readonly snapshot?: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  readonly restore?: (pieces: Iterable<Uint8Array>, index: Index) => void | Promise<void>;
  #table: SessionTable | null = null;
  /** Where the table is, for a machine in memory. */
  #memory: TableStore = new MemoryTable();

  constructor(machine: StateMachine<Command, Result, Query, Answer>, limits: SessionLimits) {
    if (machine.keeps === 'own') {
      throw new TypeError('client sessions need a machine that keeps its data in the store or in memory');
    }
    this.keeps = machine.keeps;
    this.command = sessionCommandCodec(machine.command);
    this.result = sessionResultCodec(machine.result);
    this.#machine = machine;
    this.#limits = limits;
    if (machine.keeps === 'store' || machine.snapshot === undefined) return;
    this.snapshot = () => this.#snapshot();
    this.restore = (pieces, index) => this.#restore(pieces, index);
  }

  open(store: MachineStore): Index | Promise<Index> {
    this.#memory = new MemoryTable();
    this.#table = new SessionTable(this.keeps === 'store' ? store : this.#memory, this.#limits);
    return this.#machine.open(this.keeps === 'store' ? innerStore(store) : store);
  }

  apply(commands: readonly SessionCommand<Command>[], at: LogPosition): readonly SessionResult<Result>[] {
    const { term, logTimeMs } = at;
    const results: SessionResult<Result>[] = [];
    for (const command of commands) {
      const index = plus(at.index, results.length);
      results.push(this.#applyOne(command, { index, term, logTimeMs }));
    }
    (this.#table as SessionTable).settle();
    return results;
  }

  #applyOne(command: SessionCommand<Command>, at: LogPosition): SessionResult<Result> {
    const table = this.#table as SessionTable;
    if (command.type === 'plain') return { type: 'applied', result: this.#execute(command.command, at) };
    if (command.type === 'open') {
      return table.open(at.index, at.logTimeMs)
        ? { type: 'opened', session: at.index }
        : { type: 'overloaded' };
    }
    const admission = table.admit(command, at.logTimeMs);
    switch (admission.type) {
      case 'expired':
        return { type: 'sessionExpired' };
      case 'overloaded':
        return { type: 'overloaded' };
      case 'answered':
        return { type: 'applied', result: this.#machine.result.decode(admission.result) };
      case 'execute': {
        const result = this.#execute(command.command, at);
        table.keep(command, this.#machine.result.encode(result));
        return { type: 'applied', result };
      }
    }
  }

  #execute(command: Command, at: LogPosition): Result {
    const results = this.#machine.apply([command], at);
    if (isPromise(results)) throw new TypeError('a machine with client sessions must apply synchronously');
    return results[0] as Result;
  }

  query(query: Query): Answer | Promise<Answer> {
    return this.#machine.query(query);
  }

  isSnapshotEntry(key: Uint8Array, value: Uint8Array): boolean {
    return this.keeps === 'store' ? this.#isStored(key, value) : this.#isPiece(key, value);
  }

  #isStored(key: Uint8Array, value: Uint8Array): boolean {
    return key[0] === innerTag ? this.#isInner(key.subarray(1), value) : isRow(key, value);
  }

  #isPiece(key: Uint8Array, piece: Uint8Array): boolean {
    if (piece.length === 0) return true; // Of a machine that gives none.
    const bytes = piece.subarray(1);
    if (piece[0] === pieceTags.machine) return this.#isInner(key, bytes);
    return piece[0] === pieceTags.table && isTablePiece(bytes);
  }

  #isInner(key: Uint8Array, value: Uint8Array): boolean {
    return this.#machine.isSnapshotEntry?.(key, value) ?? true;
  }

  /** The table as it is now, then what the machine gives. */
  #snapshot(): AsyncIterable<Uint8Array> {
    const entries = [...this.#memory.range({})];
    return tagged(entries, this.#machine.snapshot?.() ?? []);
  }

  async #restore(pieces: Iterable<Uint8Array>, index: Index): Promise<void> {
    this.#memory = new MemoryTable();
    const each = pieces[Symbol.iterator]();
    try {
      const inner = untagged(each, this.#memory);
      this.#table = new SessionTable(this.#memory, this.#limits);
      await this.#machine.restore?.(inner, index);
    } finally {
      each.return?.(); // A machine may have had enough before the end: what is read stays open otherwise.
    }
  }
}

/** The first byte of a piece of a snapshot: of the table, or of the machine. */
const pieceTags = { table: 1, machine: 0 } as const;

async function* tagged(
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < entries.length; ) {
    const chunk = takeChunk(entries.slice(at, at + entriesPerPiece));
    yield pieceOf(pieceTags.table, encodeChunk(chunk.entries));
    at += chunk.entries.length;
  }
  for await (const piece of pieces) yield pieceOf(pieceTags.machine, piece);
}

const entriesPerPiece = 512;

function pieceOf(tag: number, bytes: Uint8Array): Uint8Array {
  const piece = new Uint8Array(1 + bytes.byteLength);
  piece[0] = tag;
  piece.set(bytes, 1);
  return piece;
}

function isTablePiece(bytes: Uint8Array): boolean {
  return decodeChunk(bytes, '')?.entries.every(([key, value]) => isRow(key, value)) === true;
}

/** Puts the table's pieces, which come first, into it at once, and gives the machine's, one by one. */
function untagged(rest: Iterator<Uint8Array>, table: TableStore): Iterable<Uint8Array> {
  let next = rest.next();
  for (; !next.done && next.value[0] === pieceTags.table; next = rest.next()) {
    const chunk = decodeChunk(next.value.subarray(1), '');
    if (chunk === undefined) throw new TypeError('not a table of sessions');
    for (const [key, value] of chunk.entries) table.put(key, value);
  }
  return (function* () {
    for (; !next.done; next = rest.next()) yield next.value.subarray(1);
  })();
}

/** The wrapped machine's part of the store: its keys, each behind one byte. */
function innerStore(store: MachineStore): MachineStore {
  return {
    get appliedIndex() {
      return store.appliedIndex;
    },
    get isDirty() {
      return store.isDirty;
    },
    get unflushedKeys() {
      return store.unflushedKeys;
    },
    get unflushedBytes() {
      return store.unflushedBytes;
    },
    get: (key) => store.get(innerKey(key)),
    put: (key, value) => store.put(innerKey(key), value),
    delete: (key) => store.delete(innerKey(key)),
    *range({ from, to }) {
      const bounds = {
        from: from === undefined ? Uint8Array.of(innerTag) : innerKey(from),
        to: to === undefined ? Uint8Array.of(innerTag + 1) : innerKey(to),
      };
      for (const [key, value] of store.range(bounds)) yield [key.subarray(1), value] as const;
    },
    advance: (index, logTimeMs) => store.advance(index, logTimeMs),
  };
}

function innerKey(key: Uint8Array): Uint8Array {
  const inner = new Uint8Array(1 + key.byteLength);
  inner[0] = innerTag;
  inner.set(key, 1);
  return inner;
}
