import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  batchOpsCeiling,
  type KvCommand,
  type KvOp,
  keyBytesCeiling,
  kvCommandCodec,
} from '../../../examples/kv/kv-command.ts';
import {
  type KvOpResult,
  type KvResult,
  kvExecutedCodec,
  kvResultCodec,
} from '../../../examples/kv/kv-result.ts';

const key = fc.uint8Array({ minLength: 1, maxLength: 40 });
const value = fc.uint8Array({ maxLength: 80 });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const op: fc.Arbitrary<KvOp> = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({ type: fc.constant('append' as const), key, value, valueBytesMax: u32 }),
  fc.record({ type: fc.constant('cas' as const), key, expect: fc.option(value), value }),
);
const ops = fc.array(op, { minLength: 1, maxLength: 5 });
const command: fc.Arbitrary<KvCommand> = fc.oneof(
  op,
  fc.record({ type: fc.constant('batch' as const), ops }),
);

/** Views of Node's own buffers as plain arrays, so that equality is about the bytes. */
const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
const plainOp = (each: KvOp): KvOp => {
  const bytes = Object.entries(each).map(([name, part]) => [
    name,
    part instanceof Uint8Array ? plain(part) : part,
  ]);
  return Object.fromEntries(bytes);
};

describe('a command', () => {
  it('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(command, (given) => {
        const decoded = kvCommandCodec.decode(kvCommandCodec.encode(given));

        const again =
          decoded.type === 'batch' ? { ...decoded, ops: decoded.ops.map(plainOp) } : plainOp(decoded as KvOp);
        expect(again).toEqual(given);
      }),
    );
  });

  it('has one binary form', () => {
    const encoded = kvCommandCodec.encode({
      type: 'batch',
      ops: [
        { type: 'put', key: Uint8Array.of(0x61), value: Uint8Array.of(0x62, 0x63) },
        { type: 'cas', key: Uint8Array.of(0x64), expect: Uint8Array.of(0x65), value: Uint8Array.of() },
      ],
    });

    expect(Buffer.from(encoded).toString('hex')).toBe(
      [
        '05',
        '0002',
        '00000006',
        '01',
        '0001',
        '61',
        '6263',
        '0000000a',
        '04',
        '0001',
        '64',
        '01',
        '00000001',
        '65',
      ].join(''),
    );
  });

  it('takes the longest key there may be, and the most operations', () => {
    const longest: KvOp = { type: 'delete', key: new Uint8Array(keyBytesCeiling).fill(1) };
    const most: KvCommand = { type: 'batch', ops: Array(batchOpsCeiling).fill(longest) };

    const decoded = kvCommandCodec.decode(kvCommandCodec.encode(most));

    expect(decoded).toMatchObject({ type: 'batch', ops: { length: batchOpsCeiling } });
  });
});

describe('bytes that may be anything', () => {
  it('are answered, and encode to themselves again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = kvCommandCodec.decode(bytes);

        expect(plain(kvCommandCodec.encode(decoded))).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are answered when they are a command that was damaged', () => {
    fc.assert(
      fc.property(command, fc.nat(), fc.integer({ min: 0, max: 255 }), (given, at, byte) => {
        const bytes = Uint8Array.from(kvCommandCodec.encode(given));
        bytes[at % bytes.byteLength] = byte;

        expect(plain(kvCommandCodec.encode(kvCommandCodec.decode(bytes)))).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  const unreadable: Record<string, number[]> = {
    'nothing at all': [],
    'an operation of a later version': [9, 0, 1, 0x61],
    'a key without bytes': [1, 0, 0, 0x62],
    'a key that is cut off': [1, 0, 9, 0x62],
    'a delete with something behind its key': [2, 0, 1, 0x61, 0],
    'an append without its whole limit': [3, 0, 1, 0x61, 0, 0],
    'a flag that is neither 0 nor 1': [4, 0, 1, 0x61, 2],
    'a batch of nothing': [5, 0, 0],
    'a batch that promises more than it has': [5, 0xff, 0xff, 0, 0, 0, 4, 2, 0, 1, 0x61],
    'a batch in a batch': [5, 0, 1, 0, 0, 0, 3, 5, 0, 0],
    'a batch with something behind it': [5, 0, 1, 0, 0, 0, 4, 2, 0, 1, 0x61, 7],
  };
  for (const [what, bytes] of Object.entries(unreadable)) {
    it(`are no command if they are ${what}`, () => {
      expect(kvCommandCodec.decode(Uint8Array.from(bytes)).type).toBe('unreadable');
    });
  }

  it('are no command if the key is too long', () => {
    const bytes = kvCommandCodec.encode({ type: 'delete', key: new Uint8Array(keyBytesCeiling + 1).fill(1) });

    expect(kvCommandCodec.decode(bytes).type).toBe('unreadable');
  });
});

describe('a result', () => {
  const opResult: fc.Arbitrary<KvOpResult> = fc.oneof(
    fc.constant({ type: 'put' } as const),
    fc.record({ type: fc.constant('delete' as const), existed: fc.boolean() }),
    fc.record({ type: fc.constant('append' as const), length: u32 }),
    fc.record({ type: fc.constant('cas' as const), swapped: fc.boolean() }),
    fc.record({ type: fc.constant('tooLarge' as const), length: u32, valueBytesMax: u32 }),
  );
  const result: fc.Arbitrary<KvResult> = fc.oneof(
    opResult,
    fc.constant({ type: 'unreadable' } as const),
    fc.record({ type: fc.constant('batch' as const), results: fc.array(opResult, { maxLength: 9 }) }),
  );

  it('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(result, (given) => {
        expect(kvResultCodec.decode(kvResultCodec.encode(given))).toEqual(given);
      }),
    );
  });

  it('keeps the place where the command was carried out', () => {
    const position = fc.record({
      index: fc.nat(Number.MAX_SAFE_INTEGER),
      term: fc.nat(Number.MAX_SAFE_INTEGER),
      result,
    });

    fc.assert(
      fc.property(position, (given) => {
        expect(kvExecutedCodec.decode(kvExecutedCodec.encode(given))).toEqual(given);
      }),
    );
    expect(() => kvExecutedCodec.decode(new Uint8Array(15))).toThrow(RangeError);
  });

  it('is refused with an error, and never with a hang, when its bytes are anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        try {
          kvResultCodec.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
