import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EntryBatch, encodedBytes, index, lastOf } from '../../../src/core/index.ts';
import { LogCache } from '../../../src/streams/log-cache.ts';
import { batchOf } from './batches.ts';

type Action =
  | { readonly type: 'append'; readonly count: number }
  | { readonly type: 'truncate'; readonly part: number; readonly count: number }
  | { readonly type: 'flush'; readonly part: number; readonly appliedPart: number };

const count = fc.integer({ min: 1, max: 4 });
const part = fc.double({ min: 0, max: 1, noNaN: true });
const actions: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('append' as const), count }),
    fc.record({ type: fc.constant('truncate' as const), part, count }),
    fc.record({ type: fc.constant('flush' as const), part, appliedPart: part }),
  ),
  { maxLength: 60 },
);

/** The log as a plain list, and how much of it is durable. */
interface Model {
  log: EntryBatch[];
  durable: number;
}

function next({ log }: Model): number {
  const last = log.at(-1);
  return last === undefined ? 1 : lastOf(last) + 1;
}

function carryOut(action: Action, { cache, model }: { cache: LogCache; model: Model }): void {
  if (action.type === 'flush') {
    const place = Math.floor(action.part * model.log.length);
    model.durable = Math.max(model.durable, place === 0 ? 0 : lastOf(model.log[place - 1] as EntryBatch));
    const lastApplied = Math.floor(action.appliedPart * next(model));
    return cache.evict({ durableIndex: index(model.durable), lastApplied: index(lastApplied) });
  }
  const words = Array.from({ length: action.count }, () => 'x'.repeat(20));
  if (action.type === 'append') {
    const batch = batchOf(next(model), words);
    model.log.push(batch);
    return cache.write({ type: 'persistReq', seq: 1, batches: [batch] });
  }
  const place = Math.floor(action.part * model.log.length);
  const from = model.log[place]?.index;
  if (from === undefined) return;
  model.log.splice(place);
  model.durable = Math.min(model.durable, from - 1);
  const batch = batchOf(from, words, 2);
  model.log.push(batch);
  cache.write({ type: 'persistReq', seq: 1, truncateFrom: from, batches: [batch] });
}

describe('the cache of the log', () => {
  it('gives what the log holds, or nothing, and holds all that is not durable', () => {
    fc.assert(
      fc.property(actions, fc.integer({ min: 1, max: 600 }), fc.nat(600), (todo, bytesMax, more) => {
        const cache = new LogCache({ bytesMax, unappliedBytesMax: bytesMax + more });
        const parts = { cache, model: { log: [], durable: 0 } as Model };
        for (const action of todo) {
          carryOut(action, parts);
          const { log, durable } = parts.model;
          for (let at = 0; at <= next(parts.model); at++) {
            const held = log.find((batch) => batch.index <= at && at <= lastOf(batch));
            const cached = parts.cache.batchAt(index(at));
            if (cached !== undefined || at > durable) expect(cached).toBe(held);
          }
        }
      }),
    );
  });

  it('reads whole batches on from an index, within so many bytes, and at least one', () => {
    fc.assert(
      fc.property(actions, fc.nat(60), fc.nat(300), (todo, from, maxBytes) => {
        const cache = new LogCache({ bytesMax: 400, unappliedBytesMax: 600 });
        const parts = { cache, model: { log: [], durable: 0 } as Model };
        for (const action of todo) carryOut(action, parts);

        const read = parts.cache.read({ from: index(from), maxBytes });

        if (read === undefined) return;
        const start = parts.model.log.findIndex((batch) => batch.index <= from && from <= lastOf(batch));
        expect(read).toEqual(parts.model.log.slice(start, start + read.length));
        const bytes = read.reduce((sum, batch) => sum + batch.payload.byteLength, 0);
        const following = parts.model.log[start + read.length];
        expect(read.length === 1 || bytes <= maxBytes).toBe(true);
        if (following !== undefined) expect(bytes + following.payload.byteLength).toBeGreaterThan(maxBytes);
      }),
    );
  });

  /** So many batches of one entry in a cache that keeps ten of them, and a hundred that are not applied. */
  function filled(count: number) {
    const batches = Array.from({ length: count }, (_, at) => batchOf(at + 1, ['word']));
    const bytes = encodedBytes(batches[0] as EntryBatch);
    const cache = new LogCache({ bytesMax: 10 * bytes, unappliedBytesMax: 100 * bytes });
    cache.write({ type: 'persistReq', seq: 1, batches });
    return { batches, cache };
  }

  it('lets go of the oldest durable batches beyond its limit, and of no more', () => {
    const { batches, cache } = filled(3000);
    const lastApplied = index(3000);

    cache.evict({ durableIndex: index(1000), lastApplied });
    expect(cache.batchAt(index(1000))).toBeUndefined();
    expect(cache.batchAt(index(1001))).toBe(batches[1000]);

    cache.evict({ durableIndex: index(3000), lastApplied });
    expect(cache.batchAt(index(2990))).toBeUndefined();
    expect(cache.batchAt(index(2991))).toBe(batches[2990]);
  });

  it('keeps what is to be applied, within a limit of its own', () => {
    const { batches, cache } = filled(200);
    const durableIndex = index(200);

    cache.evict({ durableIndex, lastApplied: index(20) });
    expect(cache.batchAt(index(100))).toBeUndefined();
    expect(cache.batchAt(index(101))).toBe(batches[100]);

    cache.evict({ durableIndex, lastApplied: index(150) });
    expect(cache.batchAt(index(150))).toBeUndefined();
    expect(cache.batchAt(index(151))).toBe(batches[150]);
  });

  it('says where it begins', () => {
    const cache = new LogCache({ bytesMax: 1000, unappliedBytesMax: 1000 });
    expect(cache.firstIndex).toBeUndefined();

    cache.write({ type: 'persistReq', seq: 1, batches: [batchOf(2, ['a']), batchOf(3, ['b'])] });
    expect(cache.firstIndex).toBe(2);
    cache.drop(index(2), false);

    expect(cache.firstIndex).toBe(3);
  });
});
