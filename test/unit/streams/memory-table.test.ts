import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryTable } from '../../../src/streams/memory-table.ts';

const keyOf = (number: number) => Uint8Array.of(number >>> 8, number & 0xff);
const numberOf = ([high = 0, low = 0]: Uint8Array) => high * 256 + low;

const number = fc.integer({ min: 0, max: 4095 });
const change = fc.record({ isPut: fc.boolean(), from: number, count: fc.integer({ min: 1, max: 1500 }) });

describe('a table of sessions in memory', () => {
  it('is a sorted map, whatever is put and deleted', () => {
    const run = (
      changes: readonly { isPut: boolean; from: number; count: number }[],
      from: number,
      to: number,
    ) => {
      const table = new MemoryTable();
      const model = new Map<number, number>();
      for (const [at, { isPut, from: first, count }] of changes.entries()) {
        for (let step = 0; step < count; step++) {
          const key = (first + step * 7) % 4096; // Between those that are there, not only behind them.
          if (isPut) table.put(keyOf(key), Uint8Array.of(at));
          else table.delete(keyOf(key));
          if (isPut) model.set(key, at);
          else model.delete(key);
        }
      }
      const seen = (bounds: { from?: Uint8Array; to?: Uint8Array }) =>
        Array.from(table.range(bounds), ([key, value]) => [numberOf(key), value[0]]);
      const sorted = [...model].sort(([a], [b]) => a - b);

      expect(seen({})).toEqual(sorted);
      expect(seen({ from: keyOf(from), to: keyOf(to) })).toEqual(
        sorted.filter(([key]) => key >= from && key < to),
      );
      expect(table.get(keyOf(from))?.[0]).toBe(model.get(from));
    };

    fc.assert(fc.property(fc.array(change, { maxLength: 8 }), number, number, run), { numRuns: 100 });
  });
});
