import fc from 'fast-check';

/** One thing that goes wrong with bytes. Positions are taken modulo the length. */
type Mutation =
  | { readonly type: 'flip'; readonly at: number; readonly bit: number }
  | { readonly type: 'set'; readonly at: number; readonly byte: number }
  | { readonly type: 'number'; readonly at: number; readonly bytes: number; readonly value: number }
  | { readonly type: 'cut' | 'repeat' | 'remove'; readonly at: number; readonly length: number }
  | { readonly type: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly type: 'splice'; readonly at: number; readonly other: number; readonly length: number };

/** Numbers that lengths and counts are mistaken for: too large, too small, negative, beyond what is safe. */
const numbers = [
  0,
  1,
  2,
  3,
  4,
  0x7f,
  0xff,
  0x100,
  0x7fff_ffff,
  0xffff_fffe,
  0xffff_ffff,
  2 ** 53 - 1,
  2 ** 53,
];

const at = fc.nat();
const length = fc.integer({ min: 1, max: 40 });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ type: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }),
  fc.record({ type: fc.constant('set' as const), at, byte: fc.nat({ max: 255 }) }),
  fc.record({
    type: fc.constant('number' as const),
    at,
    bytes: fc.constantFrom(2, 4, 8),
    value: fc.constantFrom(...numbers),
  }),
  fc.record({ type: fc.constantFrom('cut' as const, 'repeat' as const, 'remove' as const), at, length }),
  fc.record({
    type: fc.constant('insert' as const),
    at,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
  }),
  fc.record({ type: fc.constant('splice' as const), at, other: fc.nat(), length }),
);

/**
 * Sound bytes that something has happened to: bits flipped, numbers overwritten, parts cut out, doubled, and put in from
 * another sample. Sometimes nothing has, and sometimes they are not sound at all.
 */
export function mutated(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const damaged = fc
    .tuple(fc.nat(), fc.array(mutation, { maxLength: 5 }))
    .map(([which, mutations]) =>
      mutations.reduce((bytes, each) => mutate(bytes, each, samples), sampleOf(samples, which)),
    );
  return fc.oneof(
    { weight: 9, arbitrary: damaged },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

function mutate(bytes: Uint8Array, mutation: Mutation, samples: readonly Uint8Array[]): Uint8Array {
  if (bytes.byteLength === 0) return Uint8Array.of(0);
  const where = mutation.at % bytes.byteLength;
  const [head, tail] = [bytes.subarray(0, where), bytes.subarray(where)];
  switch (mutation.type) {
    case 'flip':
      return joined(head, Uint8Array.of((bytes[where] as number) ^ (1 << mutation.bit)), tail.subarray(1));
    case 'set':
      return joined(head, Uint8Array.of(mutation.byte), tail.subarray(1));
    case 'number':
      return joined(head, bigEndian(mutation), tail.subarray(mutation.bytes));
    case 'cut':
      return bytes.slice(0, where);
    case 'repeat':
      return joined(head, tail.subarray(0, mutation.length), tail);
    case 'remove':
      return joined(head, tail.subarray(mutation.length));
    case 'insert':
      return joined(head, mutation.bytes, tail);
    case 'splice': {
      const other = sampleOf(samples, mutation.other);
      const from = mutation.other % Math.max(1, other.byteLength);
      return joined(head, other.subarray(from, from + mutation.length), tail.subarray(mutation.length));
    }
  }
}

function sampleOf(samples: readonly Uint8Array[], which: number): Uint8Array {
  return Uint8Array.from(samples[which % samples.length] ?? []);
}

function bigEndian({ bytes, value }: { readonly bytes: number; readonly value: number }): Uint8Array {
  const whole = Buffer.alloc(8);
  whole.writeBigUInt64BE(BigInt(value));
  return whole.subarray(8 - bytes);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/**
 * How much a value holds: its objects, lists and characters, and the bytes of its arrays. A decoder that gives more than
 * a few times what it was given was led to believe a length.
 */
export function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array) return 1 + value.byteLength;
  if (typeof value === 'string') return 1 + value.length;
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, part) => sum + sizeOf(part), 1);
}
