import { describe, expect, it } from 'vitest';
import { same } from '../../../src/testing/same.ts';

describe('what a conformance suite compares', () => {
  it('is the same with its names in another order', () => {
    expect(() =>
      same('frame', { a: 1, bytes: Uint8Array.of(1) }, { bytes: Buffer.of(1), a: 1 }),
    ).not.toThrow();
  });

  it.each([
    [Number.NaN, null],
    [undefined, 'undefined'],
    [{ a: undefined }, {}],
    [Uint8Array.of(1), { 0: 1 }],
    [new Map([[1, 2]]), new Map([[1, 3]])],
  ])('differs in all that can be seen: %o', (actual, expected) => {
    expect(() => same('frame', actual, expected)).toThrow('frame: expected ');
  });

  it('is shown where it differs', () => {
    const bytes = new Uint8Array(100_000);

    expect(() => same('piece', bytes, bytes.with(50_000, 7))).toThrow(
      /^piece: expected …0+7[0]+…, got …0+…$/,
    );
  });
});
