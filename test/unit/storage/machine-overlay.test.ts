import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { index } from '../../../src/core/index.ts';
import { KeyMap } from '../../../src/storage/key-map.ts';
import { keyBytes, keyText } from '../../../src/storage/key-text.ts';
import {
  type MachineBase,
  MachineOverlay,
  type MachineWrites,
} from '../../../src/storage/machine-overlay.ts';

const key = (name: number) => Uint8Array.of(name);
const value = (number: number) => Uint8Array.of(number, number);

/** What is flushed, as a disk would have it. */
class Base implements MachineBase {
  readonly rows = new KeyMap<Uint8Array>();

  get(wanted: Uint8Array) {
    return this.rows.get(keyText(wanted));
  }

  *range({ from, to }: Parameters<MachineBase['range']>[0]) {
    const bounds = { from: from && keyText(from), to: to && keyText(to) };
    for (const [text, bytes] of this.rows.range(bounds)) yield [keyBytes(text), bytes] as const;
  }

  write({ entries }: MachineWrites) {
    for (const [text, bytes] of entries) {
      if (bytes === null) this.rows.delete(text);
      else this.rows.set(text, bytes);
    }
  }
}

const rowsOf = ({ entries }: MachineWrites) =>
  [...entries].map(([text, bytes]) => [...keyBytes(text), bytes]);

describe('a row that is inserted', () => {
  it('and deleted before it was flushed is never heard of on the disk', () => {
    const overlay = new MachineOverlay(new Base());
    overlay.insert(key(1), value(1));
    overlay.put(key(2), value(2));

    overlay.delete(key(1));

    expect(overlay.get(key(1))).toBeUndefined();
    expect([...overlay.range({})]).toEqual([[key(2), value(2)]]);
    expect(overlay.unflushedBytes).toBe(3);
    expect(rowsOf(overlay.beginFlush())).toEqual([[2, value(2)]]);
  });

  it('and deleted once a flush has begun is deleted on the disk, too', () => {
    const overlay = new MachineOverlay(new Base());
    overlay.insert(key(1), value(1));
    overlay.beginFlush();

    overlay.delete(key(1));

    expect(overlay.get(key(1))).toBeUndefined();
    overlay.endFlush();
    expect(rowsOf(overlay.beginFlush())).toEqual([[1, null]]);
  });

  it('in the place of one that is deleted and was flushed is deleted on the disk, too', () => {
    const base = new Base();
    base.rows.set(keyText(key(1)), value(9));
    const overlay = new MachineOverlay(base);
    overlay.delete(key(1));
    overlay.insert(key(1), value(1));

    overlay.delete(key(1));

    expect(overlay.get(key(1))).toBeUndefined();
    expect(rowsOf(overlay.beginFlush())).toEqual([[1, null]]);
  });

  it('is forgotten with everything else when a snapshot takes its place', () => {
    const base = new Base();
    base.rows.set(keyText(key(1)), value(9));
    const overlay = new MachineOverlay(new Base());
    overlay.insert(key(1), value(1));
    overlay.restore(base, { generation: 1, index: index(1), logTimeMs: 0 });

    overlay.delete(key(1));

    expect(overlay.get(key(1))).toBeUndefined();
    expect(rowsOf(overlay.beginFlush())).toEqual([[1, null]]);
  });
});

const operation = fc.oneof(
  fc.record({ type: fc.constantFrom('put', 'delete'), name: fc.nat(1), number: fc.nat(200) }),
  fc.record({ type: fc.constantFrom('beginFlush', 'endFlush'), name: fc.nat(1), number: fc.nat(200) }),
);

describe('what a machine writes', () => {
  it('is what it reads, and in the end what the disk has, however flushes fall', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const base = new Base();
        const overlay = new MachineOverlay(base);
        const model = new KeyMap<Uint8Array>();
        let writes: MachineWrites | null = null;
        const endFlush = () => {
          if (writes === null) return;
          base.write(writes);
          overlay.endFlush();
          writes = null;
        };
        for (const { type, name, number } of operations) {
          const text = keyText(key(name));
          const isThere = model.get(text) !== undefined;
          if (type === 'put' && isThere) overlay.put(key(name), value(number));
          if (type === 'put' && !isThere) overlay.insert(key(name), value(number));
          if (type === 'put') model.set(text, value(number));
          if (type === 'delete') overlay.delete(key(name));
          if (type === 'delete') model.delete(text);
          if (type === 'endFlush') endFlush();
          if (type === 'beginFlush' && writes === null) writes = overlay.beginFlush();
          expect(overlay.get(key(name))).toEqual(model.get(text));
          expect([...overlay.range({})].map(([bytes]) => keyText(bytes))).toEqual(keysOf(model));
        }
        endFlush();
        writes = overlay.beginFlush();
        endFlush();

        expect([...base.rows.range({})]).toEqual([...model.range({})]);
        expect(overlay.unflushedBytes).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

const keysOf = (map: KeyMap<Uint8Array>) => [...map.range({})].map(([text]) => text);
