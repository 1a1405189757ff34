import fc from 'fast-check';
import { bytesCodec, jsonCodec, reducer } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { index, term } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';

const { machineStore } = memoryStorage();

describe('a reducer', () => {
  const at = { index: index(5), term: term(2), logTimeMs: 9 };

  it('gives each command its own place, and one result for each', async () => {
    const machine = reducer([] as number[], (list, add: number, place) => [[...list, add], place.index]);
    await machine.open(machineStore);

    expect(machine.apply([7, 8], at)).toEqual([5, 6]);
    expect(machine.query((list) => list)).toEqual([7, 8]);
  });

  it('begins anew when it is opened anew, since its data are rebuilt from the log', async () => {
    const machine = reducer(1, (sum, add: number) => [sum + add, null]);
    machine.apply([5], at);

    expect(await machine.open(machineStore)).toBe(0);
    expect(machine.query((sum) => sum)).toBe(1);
  });

  it("takes codecs of one's own", () => {
    const machine = reducer(0, (sum, add: Uint8Array) => [sum + add.length, add], {
      command: bytesCodec,
      result: bytesCodec,
    });

    expect(machine.command.encode(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    expect(machine.result.decode(Uint8Array.of(2))).toEqual(Uint8Array.of(2));
  });
});

describe('the JSON codec', () => {
  it('gives back what JSON can hold', () => {
    const codec = jsonCodec<unknown>();

    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('makes null of undefined, and throws on what is no JSON', () => {
    const codec = jsonCodec<unknown>();

    expect(codec.decode(codec.encode(undefined))).toBeNull();
    expect(() => codec.decode(Uint8Array.of(0xff))).toThrow();
    expect(() => codec.decode(new TextEncoder().encode('{'))).toThrow();
  });
});
