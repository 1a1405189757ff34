import fc from 'fast-check';
import { bytesCodec, jsonCodec, reducer, strictJsonCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { index, index0, term } from '../../../src/core/index.ts';
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

describe('a state that JSON would change', () => {
  const piecesOf = (machine: object) => [...(machine as { snapshot(): Iterable<Uint8Array> }).snapshot()];
  /** Of a machine that comes to this state with its first command. */
  const snapshotOf = (state: unknown) => () => {
    const machine = reducer<unknown, number, number>(null, () => [state, 0]);
    machine.apply([1], { index: index(1), term: term(1), logTimeMs: 0 });
    return piecesOf(machine);
  };

  it.each([
    [new Map([['ada', 1]]), 'an instance of Map at its top'],
    [{ balances: [{ ada: new Set() }] }, 'an instance of Set at balances[0].ada'],
    [{ paidAt: new Date(5) }, 'an instance of Date at paidAt'],
    [[Uint8Array.of(1)], 'an instance of Uint8Array at [0]'],
    [[1, undefined], 'undefined at [1]'],
    [{ sum: Number.NaN }, 'NaN at sum'],
    [{ sum: Number.POSITIVE_INFINITY }, 'Infinity at sum'],
    [{ sum: 1n }, 'a bigint at sum'],
    [{ next: () => 1 }, 'function at next'],
    [{ first: 1n, second: Number.NaN }, 'a bigint at first'],
    [[{ [Symbol('hidden')]: 1 }], 'a key that is a symbol at [0]'],
  ])('is refused when a snapshot is taken: %o', (state, loss) => {
    expect(snapshotOf(state)).toThrow(`the state of the reducer has ${loss}, which JSON can't hold`);
  });

  it('is not one that is only deep', () => {
    let list: object | null = null;
    for (let depth = 0; depth < 3_000; depth++) list = { next: list };

    expect(snapshotOf(list)).not.toThrow();
  });

  it('is not one that is only long', () => {
    const list = Array.from({ length: 300_000 }, (_, at) => ({ at }));

    expect(snapshotOf({ list })).not.toThrow();
    expect(snapshotOf({ list: [...list, 1n] })).toThrow('a bigint at list[300000]');
  });

  it('is one that holds itself', () => {
    const list: unknown[] = [1];
    list.push({ list });

    expect(snapshotOf(list)).toThrow('an object that holds itself at [1].list');
  });

  it('may hold one object twice', () => {
    const ada = { name: 'ada' };

    expect(snapshotOf([ada, ada])).not.toThrow();
  });

  it('is refused at once where a machine is to begin with it', () => {
    const message = 'the state of the reducer has an instance of Map at seen, which JSON';

    expect(() => reducer({ seen: new Map() }, (state) => [state, 0])).toThrow(message);
  });

  it('is taken with a codec of its own', () => {
    const encode = (state: Map<string, number>) => new TextEncoder().encode(JSON.stringify([...state]));
    const decode = (bytes: Uint8Array) =>
      new Map<string, number>(JSON.parse(new TextDecoder().decode(bytes)));
    const machine = reducer(new Map([['ada', 1]]), (state) => [state, 0], { state: { encode, decode } });

    machine.restore?.(piecesOf(machine), index0);

    expect(machine.query((state) => state.get('ada'))).toBe(1);
  });

  it('is not what JSON gives back, nor has it a key with undefined', () => {
    expect(snapshotOf({ gone: undefined, text: 'a', list: [null, true, { deep: -1.5 }] })).not.toThrow();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(snapshotOf(value)).not.toThrow();
      }),
    );
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

  it.each([
    ['a set', { tags: new Set(['a']) }, 'an instance of Set at tags'],
    ['a date', [new Date(0)], 'an instance of Date at [0]'],
    ['a number that is none', Number.NaN, 'NaN at its top'],
    ['a function', () => 1, 'function at its top'],
    ['a list with a hole', [undefined], 'undefined at [0]'],
  ])('refuses what JSON would change, for commands: %s', (_, value, loss) => {
    expect(() => strictJsonCodec<unknown>().encode(value)).toThrow(loss);
  });

  it('makes null of undefined, and throws on what is no JSON', () => {
    const codec = jsonCodec<unknown>();

    expect(codec.decode(codec.encode(undefined))).toBeNull();
    expect(() => codec.decode(Uint8Array.of(0xff))).toThrow();
    expect(() => codec.decode(new TextEncoder().encode('{'))).toThrow();
  });
});
