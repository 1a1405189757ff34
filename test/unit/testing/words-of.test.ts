import { runInNewContext } from 'node:vm';
import { jsonCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { shown, travelledWords, wordsOf } from '../../../src/testing/words-of.ts';

class Secret {
  readonly #value: number;
  readonly name = 'secret';

  constructor(value: number) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }
}

class Money extends Secret {
  toJSON(): number {
    return this.value;
  }
}

class Declined extends Error {
  readonly #limit: number;

  constructor(limit: number) {
    super('declined');
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }
}

class Day extends Date {
  readonly #zone: string;

  constructor(zone: string) {
    super(0);
    this.#zone = zone;
  }

  get zone(): string {
    return this.#zone;
  }
}

class Page extends Array<number> {
  readonly next: number;

  constructor(next: number) {
    super();
    this.next = next;
  }
}

class Refund extends Declined {
  toJSON(): number {
    return this.limit;
  }
}

const further = <On extends object>(on: On, fields: object): On => Object.assign(on, fields);

const bytes = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);

describe('the words of two values', () => {
  it.each([
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [{ a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    [new Set(['a', 'b']), new Set(['b', 'a'])],
    [new Set([{ a: 1, b: [2] }]), new Set([{ b: [2], a: 1 }])],
    [
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    [bytes, Buffer.from(bytes)],
    [bytes.subarray(4), Uint8Array.of(2, 0, 0, 0)],
    [new Uint32Array(bytes.buffer), Uint32Array.of(1, 2)],
    [new Date(5), new Date(5)],
    [new Money(5), new Money(5)],
    [new Error('no'), new Error('no')],
    [new Refund(5), new Refund(5)],
    [further([1], { next: 2, total: 3 }), further([1], { total: 3, next: 2 })],
    [runInNewContext('[1, new Uint8Array([2])]'), [1, Uint8Array.of(2)]],
  ])('are the same for equal ones: %o', (a, b) => {
    expect(wordsOf(a)).toBe(wordsOf(b));
  });

  it.each([
    [Number.NaN, null],
    [0, -0],
    [null, undefined],
    [{ a: undefined }, {}],
    [1, '1'],
    [1n, 1],
    [{ 'a: 1, b': 2 }, { a: 1, b: 2 }],
    [new Set(['a']), new Set(['b'])],
    [new Map([['a', 1]]), new Map([['a', 2]])],
    [bytes.buffer, new ArrayBuffer(8)],
    [new Uint32Array(bytes.buffer), Uint32Array.of(1, 3)],
    [new DataView(bytes.buffer), new DataView(new ArrayBuffer(8))],
    [Float64Array.of(0), Float64Array.of(-0)],
    [new Date(5), new Date(6)],
    [new Money(5), new Money(6)],
    [new Error('no'), new Error('yes')],
    [new AggregateError([1], 'no'), new AggregateError([2], 'no')],
    [new Error('no', { cause: 1 }), new Error('no', { cause: 2 })],
    [Object.assign(new Error('no'), { code: 1 }), Object.assign(new Error('no'), { code: 2 })],
    [new Error('no'), new TypeError('no')],
    [new Error('no'), new Error('no', { cause: undefined })],
    [new Refund(5), new Refund(6)],
    [new Refund(5), new Error('declined')],
    [[undefined], []],
    [[undefined], new Array(1)],
    [further([1], { total: 1 }), further([1], { total: 2 })],
    [further([1], { '01': 1 }), [1]],
    [further(new Date(5), { zone: 'UTC' }), new Date(5)],
    [further(new Set([1]), { total: 1 }), new Set([1])],
    [further(new Map(), { total: 1 }), new Map()],
    [further(Uint8Array.of(1), { total: 1 }), Uint8Array.of(1)],
    [further(new Uint8Array(100_000), { total: 1 }), new Uint8Array(100_000)],
    [further(new Uint8Array(100_000), { total: 1 }), further(new Uint8Array(100_000), { total: 2 })],
  ])('differ for others: %o', (a, b) => {
    expect(wordsOf(a)).not.toBe(wordsOf(b));
  });
});

describe('what can not be compared', () => {
  const loop: unknown[] = [];
  loop.push(loop);

  it.each([
    [new Secret(5), 'an instance of Secret in it', 'give its class a toJSON()'],
    [new Map([['a', 1]]).entries(), 'Iterator in it', 'Return an array of what it gives'],
    [Promise.resolve(1), 'an instance of Promise in it', 'plain object'],
    [new WeakSet(), 'an instance of WeakSet in it', 'plain object'],
    [() => 1, 'a function in it', 'Return what it stands for'],
    [
      new Declined(5),
      'an instance of Declined in it',
      'Return its name and message, or give its class a toJSON()',
    ],
    [new Day('UTC'), 'an instance of Day in it', 'give its class a toJSON()'],
    [new Page(5), 'an instance of Page in it', 'Return an array of what it gives'],
    [new (class Tags extends Set {})(), 'an instance of Tags in it', 'Return an array of what it gives'],
    [new (class Raw extends Uint8Array {})(), 'an instance of Raw in it', 'Return an array of what it gives'],
    [{ [Symbol('hidden')]: 1 }, 'an instance of Object in it', 'plain object'],
    [further([1], { [Symbol('hidden')]: 1 }), 'an instance of Array in it', 'Return an array'],
    [further(new Date(5), { [Symbol('hidden')]: 1 }), 'an instance of Date in it', 'plain object'],
  ])('is refused with what to do: %o', (value, problem, advice) => {
    for (const each of [value, [value], { deep: new Map([['x', new Set([value])]]) }]) {
      expect(() => wordsOf(each, 'the answer to 1')).toThrow(TypeError);
      expect(() => wordsOf(each, 'the answer to 1')).toThrow(problem);
      expect(() => wordsOf(each, 'the answer to 1')).toThrow(advice);
    }
  });

  it('is refused where it holds itself', () => {
    expect(() => wordsOf({ loop })).toThrow(
      /an object that holds itself in it.*names in place of references/,
    );
  });

  it('can be shown', () => {
    expect(shown([new Secret(5), loop])).toBe('[{name: "secret"}, […]]');
    expect(shown([new Declined(5), new Page(2)])).toBe('[Declined Error("declined"), Page [] {next: 2}]');
  });

  it('is compared as its codec has it, where there is one', () => {
    const codec = {
      encode: ({ value }: Secret) => jsonCodec<number>().encode(value),
      decode: (encoded: Uint8Array) => new Secret(jsonCodec<number>().decode(encoded)),
    };

    expect(travelledWords(codec, new Secret(5))).toBe('encoded(35)');
    expect(travelledWords(codec, new Secret(6))).toBe('encoded(36)');
    expect(travelledWords(jsonCodec<object>(), { b: 1, a: 2 })).toBe('{a: 2, b: 1}');
  });
});
