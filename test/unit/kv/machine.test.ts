import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KvCommand } from '../../../examples/kv/kv-command.ts';
import { rangeBytesMax } from '../../../examples/kv/kv-machine.ts';
import { bytes, openMachine, text } from './builders.ts';

const put = (key: string, value: string): KvCommand => ({
  type: 'put',
  key: bytes(key),
  value: bytes(value),
});
const append = (key: string, value: string, valueBytesMax = 100): KvCommand => ({
  type: 'append',
  key: bytes(key),
  value: bytes(value),
  valueBytesMax,
});
const cas = (key: string, expect: string | null, value: string): KvCommand => ({
  type: 'cas',
  key: bytes(key),
  expect: expect === null ? null : bytes(expect),
  value: bytes(value),
});

type Opened = Awaited<ReturnType<typeof openMachine>>;

async function get({ ask }: Opened, key: string): Promise<string | null> {
  const answer = await ask({ type: 'get', key: bytes(key) });
  if (answer.type !== 'get') throw new Error('another question was answered');
  return answer.value === null ? null : text(answer.value);
}

async function range({ ask }: Opened, given: { prefix?: string; from?: string; limit?: number }) {
  const { prefix = '', from = '', limit = 100 } = given;
  const answer = await ask({ type: 'range', prefix: bytes(prefix), from: bytes(from), limit });
  if (answer.type !== 'range') throw new Error('another question was answered');
  return {
    keys: answer.entries.map(([key]) => text(key)),
    next: answer.next === null ? null : text(answer.next),
  };
}

describe('the machine', () => {
  it('keeps what was put, the empty value too', async () => {
    const machine = await openMachine();

    const results = await machine.apply(put('a', '1'), put('b', ''));

    expect(results).toEqual([{ type: 'put' }, { type: 'put' }]);
    expect(await get(machine, 'a')).toBe('1');
    expect(await get(machine, 'b')).toBe('');
    expect(await get(machine, 'c')).toBe(null);
    expect(await machine.ask({ type: 'exists', key: bytes('b') })).toEqual({ type: 'exists', exists: true });
  });

  it('says whether a deleted key was there', async () => {
    const machine = await openMachine();
    const remove: KvCommand = { type: 'delete', key: bytes('a') };

    const results = await machine.apply(put('a', '1'), remove, remove);

    expect(results.slice(1)).toEqual([
      { type: 'delete', existed: true },
      { type: 'delete', existed: false },
    ]);
    expect(await get(machine, 'a')).toBe(null);
  });

  it('appends up to the limit that the command carries, and no further', async () => {
    const machine = await openMachine();

    const results = await machine.apply(append('a', 'xy', 4), append('a', 'zz', 4), append('a', '!', 4));

    expect(results).toEqual([
      { type: 'append', length: 2 },
      { type: 'append', length: 4 },
      { type: 'tooLarge', length: 5, valueBytesMax: 4 },
    ]);
    expect(await get(machine, 'a')).toBe('xyzz');
  });

  it('swaps only what is exactly as expected', async () => {
    const machine = await openMachine();

    const results = await machine.apply(
      cas('a', '1', '2'),
      cas('a', null, '1'),
      cas('a', null, '3'),
      cas('a', '', '3'),
      cas('a', '1', '2'),
    );

    expect(results.map((result) => result.type === 'cas' && result.swapped)).toEqual([
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(await get(machine, 'a')).toBe('2');
  });

  it('applies a batch in order, and goes on after what it refuses', async () => {
    const machine = await openMachine();
    const ops = [put('a', '1'), append('a', '234', 3), append('a', '2', 3), cas('a', '12', 'x')];

    const [result] = await machine.apply({ type: 'batch', ops: ops as never });

    expect(result).toEqual({
      type: 'batch',
      results: [
        { type: 'put' },
        { type: 'tooLarge', length: 4, valueBytesMax: 3 },
        { type: 'append', length: 2 },
        { type: 'cas', swapped: true },
      ],
    });
    expect(await get(machine, 'a')).toBe('x');
  });

  it('answers bytes that are no command, and changes nothing', async () => {
    const machine = await openMachine();

    const results = await machine.apply({ type: 'unreadable', bytes: bytes('?') });

    expect(results).toEqual([{ type: 'unreadable' }]);
    expect((await range(machine, {})).keys).toEqual([]);
  });
});

describe('a range', () => {
  it('gives the keys of a prefix in order of their bytes, and where to go on', async () => {
    const machine = await openMachine();
    await machine.apply(put('b', '1'), put('ab', '2'), put('a', '3'), put('ac', '4'), put('aé', '5'));

    expect(await range(machine, { prefix: 'a' })).toEqual({ keys: ['a', 'ab', 'ac', 'aé'], next: null });
    expect(await range(machine, { prefix: 'a', limit: 2 })).toEqual({ keys: ['a', 'ab'], next: 'ac' });
    expect(await range(machine, { prefix: 'a', from: 'ac' })).toEqual({ keys: ['ac', 'aé'], next: null });
    expect(await range(machine, { from: 'ac' })).toEqual({ keys: ['ac', 'aé', 'b'], next: null });
    expect(await range(machine, { prefix: 'b', from: 'a' })).toEqual({ keys: ['b'], next: null });
    expect(await range(machine, { prefix: 'a', from: 'b' })).toEqual({ keys: [], next: null });
  });

  it('ends where the prefix does, also when its last byte is the highest', async () => {
    const machine = await openMachine();
    const key = (...given: number[]): KvCommand => ({
      type: 'put',
      key: Uint8Array.from(given),
      value: bytes(''),
    });
    await machine.apply(key(0xfe), key(0xff), key(0xff, 0xff), key(0xff, 0xff, 0xff), key(0xff, 0xfe));

    const answer = await machine.ask({
      type: 'range',
      prefix: Uint8Array.of(0xff, 0xff),
      from: Uint8Array.of(),
      limit: 100,
    });

    const keys = answer.type === 'range' ? answer.entries.map(([each]) => [...each]) : [];
    expect(keys).toEqual([
      [0xff, 0xff],
      [0xff, 0xff, 0xff],
    ]);
  });

  it('is cut where its values become too much for one answer', async () => {
    const machine = await openMachine();
    const half = new Uint8Array(rangeBytesMax / 2);
    await machine.apply(
      ...['a', 'b', 'c'].map((key): KvCommand => ({ type: 'put', key: bytes(key), value: half })),
    );

    expect(await range(machine, {})).toEqual({ keys: ['a', 'b'], next: 'c' });
  });
});

describe('two machines given the same commands', () => {
  it('hold the same data and give the same results', async () => {
    const key = fc.constantFrom('a', 'b', 'ab');
    const value = fc.string({ maxLength: 5 });
    const command = fc.oneof(
      fc.tuple(key, value).map(([k, v]) => put(k, v)),
      fc.tuple(key, value).map(([k, v]) => append(k, v, 9)),
      fc.tuple(key, fc.option(value), value).map(([k, e, v]) => cas(k, e, v)),
      key.map((k): KvCommand => ({ type: 'delete', key: bytes(k) })),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
        const [one, other] = [await openMachine(), await openMachine()];

        const together = await one.apply(...commands);
        const singly: object[] = [];
        for (const each of commands) singly.push(...(await other.apply(each)));

        expect(singly).toEqual(together);
        expect([...other.store.range({})]).toEqual([...one.store.range({})]);
      }),
      { numRuns: 50 },
    );
  });
});
