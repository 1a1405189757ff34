import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryTable } from '../../../src/streams/memory-table.ts';
import { sessionKey, type TableStore } from '../../../src/streams/session-rows.ts';
import { type SessionLimits, SessionTable } from '../../../src/streams/session-table.ts';

/** Counts what is asked of a table: each row that is read, written, or walked over, and each walk. */
class CountingStore implements TableStore {
  readonly #store = new MemoryTable();
  operations = 0;
  reads = 0;

  get(key: Uint8Array) {
    this.operations += 1;
    this.reads += 1;
    return this.#store.get(key);
  }

  put(key: Uint8Array, value: Uint8Array) {
    this.operations += 1;
    this.#store.put(key, value);
  }

  delete(key: Uint8Array) {
    this.operations += 1;
    this.#store.delete(key);
  }

  *range(bounds: { readonly from?: Uint8Array; readonly to?: Uint8Array }) {
    this.operations += 1;
    this.reads += 1;
    for (const entry of this.#store.range(bounds)) {
      this.operations += 1;
      yield entry;
    }
  }

  /** What something costs. */
  costOf(work: () => void): number {
    const before = this.operations;
    work();
    return this.operations - before;
  }
}

const ttl = 6_400;
const bytesOfTwoSessions = 1_300;
const stampOf = (session: number, sequence = 1, lowestUnanswered = 1) => ({
  session,
  sequence,
  lowestUnanswered,
});

function use(table: SessionTable, session: number, nowMs: number, sequence = 1): string {
  const { type } = table.admit(stampOf(session, sequence), nowMs);
  if (type === 'execute') table.keep(stampOf(session, sequence), Uint8Array.of(sequence));
  table.settle();
  return type;
}

/** A table that is full of sessions, one opened a millisecond, each used once. */
function full(sessions: number, limits: Partial<SessionLimits> = {}) {
  const store = new CountingStore();
  const table = new SessionTable(store, {
    sessionTtlMs: ttl,
    sessionsMax: sessions,
    resultsMax: 1024,
    ...limits,
  });
  for (let session = 1; session <= sessions; session++) {
    table.open(session, session);
    table.settle();
    use(table, session, session);
  }
  return { store, table, sessions };
}

describe('a table full of sessions', () => {
  it.each([100, 2000])(
    'of which all of %i have expired costs one that is opened no more for that',
    (sessions) => {
      const { store, table } = full(sessions);
      const costs: number[] = [];

      for (let at = 1; at <= sessions; at++) {
        costs.push(store.costOf(() => expect(table.open(sessions + at, sessions + ttl + at)).toBe(true)));
      }

      expect(Math.max(...costs)).toBeLessThan(120);
    },
  );

  it.each([100, 2000])('of which none of %i has expired refuses another without a look', (sessions) => {
    const { store, table } = full(sessions);
    table.open(sessions + 1, 1 + ttl); // It has seen the idlest.

    const cost = store.costOf(() => expect(table.open(sessions + 2, 1 + ttl)).toBe(false));

    expect(cost).toBe(0);
  });

  it.each([100, 2000])(
    'of which all of %i were used a little later bounds the work of a refusal, too',
    (sessions) => {
      const { store, table } = full(sessions, { sessionTtlMs: 64 * 3000 });
      for (let session = 1; session <= sessions; session++) use(table, session, 2999);
      const costs: number[] = [];

      for (let at = 1; at <= 20; at++) {
        costs.push(store.costOf(() => expect(table.open(sessions + at, 64 * 3000 + 2900)).toBe(false)));
      }

      expect(Math.max(...costs)).toBeLessThan(120);
      expect(table.open(sessions + 99, 64 * 3000 + 3000)).toBe(true);
    },
  );

  it('keeps who was used, and drops the idlest', () => {
    const { table } = full(40);
    for (let session = 1; session <= 40; session += 2) use(table, session, 1000, 2);

    const isOpened = [1, 2, 3].map((at) => table.open(40 + at, 41 + ttl));

    expect(isOpened).toEqual([true, true, true]);
    const kept = (session: number) => use(table, session, 41 + ttl, 3);
    expect([kept(1), kept(39), kept(41)]).toEqual(['execute', 'execute', 'execute']);
    expect([kept(2), kept(40)]).toEqual(['expired', 'expired']);
  });

  it('drops all results of a session that has expired, also those far apart', () => {
    const { store, table } = full(1);
    for (const sequence of [2, 3, 500, 70_000]) use(table, 1, 1, sequence);

    expect(table.open(2, 2 + ttl)).toBe(true);
    table.settle();

    expect([...store.range({})]).toHaveLength(2); // The new session, and its place in the order.
  });
});

describe('a command that says that answers have arrived', () => {
  it('costs what it drops, whatever others keep, also when it skips numbers', () => {
    const { store, table } = full(2000);
    for (const sequence of [2, 5000]) use(table, 1, 1, sequence);

    const cost = store.costOf(() => table.admit(stampOf(1, 6000, 5500), 2));

    expect(cost).toBeLessThan(40);
    expect(table.admit(stampOf(1, 5000, 5500), 2)).toEqual({ type: 'expired' });
  });
});

describe('commands of a session that is in use', () => {
  it('read nothing, and write a row for each result, one for each that has arrived, and one together', () => {
    const { store, table } = full(1);
    const readsBefore = store.reads;

    const cost = store.costOf(() => {
      for (let sequence = 2; sequence <= 101; sequence++) {
        const stamp = stampOf(1, sequence, Math.max(1, sequence - 10));
        expect(table.admit(stamp, 1)).toEqual({ type: 'execute' });
        table.keep(stamp, Uint8Array.of(sequence));
      }
      table.settle();
    });

    expect(store.reads - readsBefore).toBe(0);
    expect(cost).toBe(100 + 90 + 1);
  });

  it('are in memory no longer than there is room, those used lately longest: then they cost reading their row, and looking for results', () => {
    const store = new CountingStore();
    const limits = { sessionTtlMs: ttl, sessionsMax: 100, resultsMax: 1024 };
    const table = new SessionTable(store, limits, bytesOfTwoSessions);
    const readsOf = (session: number, sequence: number) => {
      const before = store.reads;
      expect(use(table, session, 1, sequence)).toBe('execute');
      return store.reads - before;
    };
    table.open(1, 1);
    table.open(2, 1);
    for (const session of [2, 1]) use(table, session, 1);

    table.open(3, 1);
    use(table, 3, 1);

    expect([readsOf(3, 2), readsOf(1, 2), readsOf(2, 2), readsOf(2, 3), readsOf(1, 3)]).toEqual([
      0, 0, 2, 1, 0,
    ]);
  });
});

const anyNumber = fc.integer({ min: -1, max: 2 ** 53 - 1 });

/** One command, some milliseconds after the one before: opens a session, or is of one of those opened lately. */
const command = fc.record({
  afterMs: fc.integer({ min: 0, max: 20 }),
  opens: fc.nat(9).map((number) => number === 0),
  back: fc.nat(5),
  /** Above the lowest sequence that the session has told to be unanswered. */
  ahead: fc.integer({ min: -2, max: 12 }),
  advances: fc.constantFrom(0, 0, 0, 1, 2, 5, 40),
  wild: fc.option(fc.tuple(anyNumber, anyNumber), { freq: 30 }),
  resultBytes: fc.constantFrom(0, 1, 1, 100),
});

/** Commands that are applied together. */
const batches = fc.array(fc.array(command, { minLength: 1, maxLength: 20 }), {
  minLength: 10,
  maxLength: 12,
});

const rowsOf = (store: TableStore) =>
  Array.from(store.range({}), (row) => row.map((bytes) => Buffer.from(bytes).toString('hex')).join(' ')).join(
    '\n',
  );

describe('three nodes with the same commands', () => {
  it('have the same table, though one starts again all the time and one has hardly any memory, and drop exactly who has expired', () => {
    const limits = { sessionTtlMs: 200, sessionsMax: 5, resultsMax: 8 };
    fc.assert(
      fc.property(batches, (applied) => {
        const [mine, others, tight] = [new MemoryTable(), new MemoryTable(), new MemoryTable()];
        const table = new SessionTable(mine, limits);
        const forgetful = new SessionTable(tight, limits, bytesOfTwoSessions);
        let starting = new SessionTable(others, limits);
        const model = new Map<number, { usedMs: number; lowest: number }>();
        const opened: number[] = [];
        let nowMs = 0;
        let index = 0;
        for (const commands of applied) {
          for (const { afterMs, opens, back, ahead, advances, wild, resultBytes } of commands) {
            nowMs += afterMs;
            index += 1;
            const at = index;
            const session = opened.at(-1 - back) ?? 0;
            const { usedMs, lowest } = model.get(session) ?? { usedMs: -1000, lowest: 1 };
            const [sequence, lowestUnanswered] = wild ?? [lowest + ahead, lowest + advances];
            const stamp = { session, sequence, lowestUnanswered };
            const run = (on: SessionTable): unknown => {
              const answer = opens ? on.open(at, nowMs) : on.admit(stamp, nowMs);
              if (typeof answer === 'object' && answer.type === 'execute')
                on.keep(stamp, new Uint8Array(resultBytes).fill(at));
              return answer;
            };
            const answer = run(table);

            expect(run(starting)).toEqual(answer);
            expect(run(forgetful)).toEqual(answer);

            if (opens && answer === true) {
              model.set(at, { usedMs: nowMs, lowest: 1 });
              opened.push(at);
            }
            if (opens) continue;
            const isExpired = nowMs - usedMs > limits.sessionTtlMs;
            const isAnswered = sequence < Math.max(lowest, lowestUnanswered);
            expect((answer as { type: string }).type === 'expired').toBe(isExpired || isAnswered);
            if (isExpired || isAnswered) continue;
            model.set(session, { usedMs: nowMs, lowest: Math.max(lowest, lowestUnanswered) });
          }
          for (const each of [table, starting, forgetful]) each.settle();
          expect(rowsOf(others)).toBe(rowsOf(mine));
          expect(rowsOf(tight)).toBe(rowsOf(mine));
          starting = new SessionTable(others, limits);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a row of a session that is none', () => {
  it('is not taken for one without results', () => {
    const store = new MemoryTable();
    new SessionTable(store, { sessionTtlMs: ttl, sessionsMax: 1, resultsMax: 1 }).open(1, 1);
    store.put(sessionKey(1), new Uint8Array(31));
    const table = new SessionTable(store, { sessionTtlMs: ttl, sessionsMax: 1, resultsMax: 1 });

    expect(() => table.admit(stampOf(1), 1)).toThrow('the row of a session has 31 bytes, expected 32');
  });
});
