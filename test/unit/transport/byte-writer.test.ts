import { describe, expect, it } from 'vitest';
import { type ByteWriter, countWith, encodeInto, encodeWith } from '../../../src/transport/byte-writer.ts';

/** Every kind of field, the fourth of which does not fit into 16 bytes. */
function writeAll(writer: ByteWriter): void {
  writer.u8(1);
  writer.u16(2);
  writer.u32(3);
  writer.u53(2 ** 40 + 4);
  const start = writer.beginLength();
  writer.string('fünf');
  writer.raw(Uint8Array.of(6, 6));
  writer.endLength(start);
  writer.bytes(Uint8Array.of(7));
  writer.bool(true);
}

const all = '01 0002 00000003 0000010000000004 00000009 0005 66c3bc6e66 0606 00000001 07 01';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('writing fields', () => {
  it('takes more memory where the given one ends, whichever field that is', () => {
    for (let room = 0; room <= 40; room++) {
      const target = new Uint8Array(room);
      const bytes = encodeInto(target, writeAll);

      expect(hex(bytes)).toBe(all.replaceAll(' ', ''));
      expect(bytes.buffer === target.buffer).toBe(room >= bytes.length);
    }
  });

  it('gives each caller bytes of its own, in an array of just that length', () => {
    const first = encodeWith(writeAll);
    const second = encodeWith((writer) => writer.raw(new Uint8Array(40).fill(9)));

    expect(hex(first)).toBe(all.replaceAll(' ', ''));
    expect(first.buffer.byteLength).toBe(first.length);
    expect(second.every((byte) => byte === 9)).toBe(true);
    expect(countWith(writeAll)).toBe(first.length);
  });

  it('counts payloads without a copy', () => {
    const bytes = 2 ** 31; // More than an array may hold on some machines: nothing is made for it.
    const payload = { length: bytes } as Uint8Array;

    expect(
      countWith((writer) => {
        writer.bytes(payload);
        writer.string('a');
      }),
    ).toBe(4 + bytes + 3);
  });

  it('does the same after much has been written, or a part before something threw', () => {
    expect(encodeWith((writer) => writer.raw(new Uint8Array(200_000))).length).toBe(200_000);
    expect(() =>
      encodeWith((writer) => {
        writer.u32(1);
        throw new Error('no more');
      }),
    ).toThrow('no more');

    expect(hex(encodeWith(writeAll))).toBe(all.replaceAll(' ', ''));
  });
});
