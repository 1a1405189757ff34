import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/core/crc32.ts';
import {
  batchHeaderBytes,
  type DecodedBatch,
  decodeBatch,
  decodePayload,
  type EntryBatch,
  encodeBatch,
  encodedBytes,
  encodePayload,
  index,
  isPayload,
  term,
} from '../../../src/core/index.ts';

interface Golden {
  readonly name: string;
  readonly batch: Omit<EntryBatch, 'payload'>;
  /** In hexadecimal, as `bytes`. */
  readonly entries: readonly string[];
  readonly bytes: string;
}

/** Made by another program: `struct` and `zlib` of Python. They change only with the format's version. */
const goldens: readonly Golden[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/batches-1.json'), 'utf8'),
);

const numbers = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 53 - 101 }));
const entries = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 20 });
const batches: fc.Arbitrary<EntryBatch> = fc
  .record({
    group: fc.integer({ min: 0, max: 0xffff_ffff }),
    index: numbers.map(index),
    term: numbers.map(term),
    kind: fc.constantFrom('noop' as const, 'command' as const, 'configuration' as const),
    logTimeMs: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
    entries,
  })
  .map(({ entries: each, ...header }) => {
    const payload = encodePayload(each);
    return { ...header, count: each.length, payload, payloadChecksum: crc32(payload) };
  });

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** A copy without the memory of how it is encoded. */
function copyOf(batch: EntryBatch): EntryBatch {
  return { ...batch, payload: batch.payload.slice() };
}

/** What any bytes must lead to: a batch that encodes to the very same bytes, or a typed error. */
function expectSound(bytes: Uint8Array, decoded: DecodedBatch): void {
  if (decoded.type === 'error') {
    expect(decoded.offset).toBe(0);
    expect(decoded.kind).toMatch(/^[a-zA-Z]+$/);
    return;
  }
  expect(encodeBatch(copyOf(decoded.batch))).toEqual(bytes.slice(0, decoded.end));
}

describe('the bytes of a batch', () => {
  for (const golden of goldens) {
    const payload = encodePayload(golden.entries.map(bytesOf));
    const batch = { ...golden.batch, payload } as EntryBatch;

    it(`are those of the format: ${golden.name}`, () => {
      expect(Buffer.from(encodeBatch(batch)).toString('hex')).toBe(golden.bytes);
    });

    it(`are read as the format says: ${golden.name}`, () => {
      const decoded = decodeBatch(bytesOf(golden.bytes));

      expect(decoded).toEqual({ type: 'batch', batch, end: golden.bytes.length / 2 });
    });
  }

  it('are as many as foreseen', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        expect(encodeBatch(batch).byteLength).toBe(encodedBytes(batch));
      }),
    );
  });

  it('are read back as the batch they were made of', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const bytes = encodeBatch(batch);

        expect(decodeBatch(bytes)).toEqual({ type: 'batch', batch, end: bytes.byteLength });
      }),
    );
  });

  it('are the same each time the batch is encoded, whoever made it', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const bytes = encodeBatch(batch);
        const decoded = decodeBatch(bytes);

        expect(encodeBatch(batch)).toEqual(bytes);
        expect(encodeBatch(copyOf(batch))).toEqual(bytes);
        expect(decoded.type === 'batch' && encodeBatch(decoded.batch)).toEqual(bytes);
      }),
    );
  });

  it('of a batch that was decoded are those that it came as, and not a copy', () => {
    fc.assert(
      fc.property(batches, fc.nat({ max: 20 }), (batch, offset) => {
        const bytes = Buffer.concat([new Uint8Array(offset), encodeBatch(batch)]);
        const decoded = decodeBatch(bytes, offset);

        const again = decoded.type === 'batch' ? encodeBatch(decoded.batch) : undefined;

        expect(again?.buffer).toBe(bytes.buffer);
        expect(again?.byteOffset).toBe(bytes.byteOffset + offset);
      }),
    );
  });

  it('are made anew where something else stands before the payload', () => {
    fc.assert(
      fc.property(batches, batches, (batch, other) => {
        const bytes = encodeBatch({
          ...other,
          payload: batch.payload,
          payloadChecksum: batch.payloadChecksum,
        });
        const payload = bytes.subarray(batchHeaderBytes);
        const before = bytes.slice();

        expect(encodeBatch({ ...batch, payload })).toEqual(encodeBatch(batch));
        expect(bytes).toEqual(before);
      }),
    );
  });

  it('are found one behind the other, wherever they begin', () => {
    fc.assert(
      fc.property(batches, batches, fc.nat({ max: 20 }), (first, second, offset) => {
        const bytes = Buffer.concat([new Uint8Array(offset), encodeBatch(first), encodeBatch(second)]);

        const one = decodeBatch(bytes, offset);
        const two = decodeBatch(bytes, one.type === 'batch' ? one.end : 0);

        expect(one).toMatchObject({ type: 'batch', batch: { index: first.index } });
        expect(two).toMatchObject({ type: 'batch', batch: { index: second.index }, end: bytes.byteLength });
      }),
    );
  });
});

describe('bytes that are not a batch', () => {
  const whole = bytesOf(goldens[1]?.bytes as string);

  it('are answered with a typed error, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expectSound(bytes, decodeBatch(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('are an error when they are cut off, at any length', () => {
    for (let length = 0; length < whole.byteLength; length++) {
      expect(decodeBatch(whole.slice(0, length))).toEqual({ type: 'error', kind: 'truncated', offset: 0 });
    }
  });

  it('are an error when any one bit is flipped', () => {
    for (let bit = 0; bit < whole.byteLength * 8; bit++) {
      const bytes = whole.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));

      expect(decodeBatch(bytes).type).toBe('error');
    }
  });

  it('are an error or a batch of just those bytes when several bytes are changed', () => {
    const change = fc.record({ at: fc.nat({ max: 10_000 }), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(batches, fc.array(change, { minLength: 1, maxLength: 8 }), (batch, changes) => {
        const bytes = encodeBatch(batch).slice();
        for (const { at, value } of changes) bytes[at % bytes.byteLength] = value;

        expectSound(bytes, decodeBatch(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('are an error or a batch of just those bytes when the header is changed and its checksum mended', () => {
    const change = fc.record({ at: fc.nat({ max: 43 }), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(batches, fc.array(change, { minLength: 1, maxLength: 4 }), (batch, changes) => {
        const bytes = encodeBatch(batch).slice();
        for (const { at, value } of changes) bytes[at] = value;
        new DataView(bytes.buffer).setUint32(44, crc32(bytes.subarray(0, 44)));

        expectSound(bytes, decodeBatch(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  const lies: readonly {
    readonly what: string;
    readonly kind: string;
    readonly tell: (view: DataView) => void;
  }[] = [
    { what: 'of another magic', kind: 'badMagic', tell: (view) => view.setUint8(0, 0xb8) },
    { what: 'of a later version', kind: 'unknownVersion', tell: (view) => view.setUint8(1, 2) },
    { what: 'of an unknown kind', kind: 'badHeader', tell: (view) => view.setUint8(2, 3) },
    { what: 'with the reserved byte set', kind: 'badHeader', tell: (view) => view.setUint8(3, 1) },
    { what: 'at index 0', kind: 'badHeader', tell: (view) => view.setBigUint64(8, 0n) },
    { what: 'beyond the safe indexes', kind: 'badHeader', tell: (view) => view.setBigUint64(8, 2n ** 53n) },
    {
      what: 'that ends beyond them',
      kind: 'badHeader',
      tell: (view) => view.setBigUint64(8, 2n ** 53n - 1n),
    },
    { what: 'of term 0', kind: 'badHeader', tell: (view) => view.setBigUint64(16, 0n) },
    {
      what: 'beyond the safe terms',
      kind: 'badHeader',
      tell: (view) => view.setBigUint64(16, 2n ** 64n - 1n),
    },
    { what: 'beyond the safe times', kind: 'badHeader', tell: (view) => view.setBigUint64(24, 2n ** 53n) },
    { what: 'of no entries', kind: 'badHeader', tell: (view) => view.setUint32(32, 0) },
    { what: 'of more entries than there are', kind: 'badPayload', tell: (view) => view.setUint32(32, 2) },
    { what: 'of 4,294,967,295 entries', kind: 'badPayload', tell: (view) => view.setUint32(32, 0xffff_ffff) },
    { what: 'longer than there is', kind: 'truncated', tell: (view) => view.setUint32(36, 0xffff_ffff) },
    { what: 'shorter than it is', kind: 'badPayloadChecksum', tell: (view) => view.setUint32(36, 8) },
    { what: 'with another checksum', kind: 'badPayloadChecksum', tell: (view) => view.setUint32(40, 1) },
  ];

  for (const { what, kind, tell } of lies) {
    it(`are an error when the header says it is a batch ${what}`, () => {
      const bytes = whole.slice();
      const view = new DataView(bytes.buffer);
      tell(view);
      view.setUint32(44, crc32(bytes.subarray(0, 44)));

      expect(decodeBatch(bytes)).toEqual({ type: 'error', kind, offset: 0 });
    });
  }

  it('are an error when only the checksum of the header is off', () => {
    const bytes = whole.slice();
    bytes[47] = (bytes[47] as number) ^ 1;

    expect(decodeBatch(bytes)).toEqual({ type: 'error', kind: 'badHeaderChecksum', offset: 0 });
  });
});

describe('a payload', () => {
  it('holds its entries, one behind the other', () => {
    fc.assert(
      fc.property(entries, (each) => {
        const payload = encodePayload(each);

        expect(isPayload(payload, each.length)).toBe(true);
        expect(isPayload(payload, each.length + 1)).toBe(false);
        expect(isPayload(payload, each.length - 1)).toBe(false);
        expect(decodePayload(payload)).toEqual(each);
      }),
    );
  });

  it('is told from other bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 30 }), (bytes, count) => {
        const isRight = isPayload(bytes, count);

        if (isRight) expect(encodePayload(decodePayload(bytes))).toEqual(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('CRC-32', () => {
  it('has the check value of its definition', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it('agrees with zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('may be the one of zlib in decoding', () => {
    const bytes = bytesOf(goldens[2]?.bytes as string);

    expect(decodeBatch(bytes, 0, zlibCrc32)).toEqual(decodeBatch(bytes));
    expect(bytes.byteLength).toBeGreaterThan(batchHeaderBytes);
  });
});
