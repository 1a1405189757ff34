import { describe, expect, it } from 'vitest';
import { getUint53, putUint32, putUint53, setUint53, uint32At, uint53At } from '../../../src/core/index.ts';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer);
const numbers = [
  0,
  1,
  255,
  2 ** 16 + 3,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40 + 7,
  2 ** 53 - 1,
];

describe('a number in big-endian', () => {
  it.each(numbers)('is the same byte by byte and in a view: %i', (number) => {
    const [inView, inBytes] = [new Uint8Array(10), new Uint8Array(10)];
    setUint53(viewOf(inView), 1, number);
    putUint53(inBytes, 1, number);

    expect(inBytes).toEqual(inView);
    expect([uint53At(inBytes, 1), getUint53(viewOf(inBytes), 1)]).toEqual([number, number]);
  });

  it('of more than 53 bits is -1', () => {
    const bytes = Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0);

    expect([uint53At(bytes, 0), getUint53(viewOf(bytes), 0)]).toEqual([-1, -1]);
  });

  it.each([0, 255, 2 ** 31, 2 ** 32 - 1])('of 32 bits is as in a view: %i', (number) => {
    const bytes = new Uint8Array(5);
    putUint32(bytes, 1, number);

    expect([uint32At(bytes, 1), viewOf(bytes).getUint32(1)]).toEqual([number, number]);
  });
});
