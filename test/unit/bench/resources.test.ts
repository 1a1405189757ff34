import { describe, expect, it } from 'vitest';
import { growthOf } from '../../../bench/cases/resources.ts';
import { checkServed } from '../../../bench/suite/measure.ts';

describe('the growth of memory', () => {
  it('is the last quarter by the second', () => {
    const figures = [100, 200, 300, 400].flatMap((each) => Array.from({ length: 5 }, () => each));

    expect(growthOf(figures)).toBe(2);
  });

  it('is not told from fewer than 20 looks', () => {
    expect(growthOf(Array.from({ length: 19 }, () => 100))).toBeNull();
    expect(growthOf([])).toBeNull();
  });
});

describe('a sample', () => {
  it('is good if all was served', () => {
    expect(() => checkServed({ served: 1, refused: 0 }, 1_000)).not.toThrow();
  });

  it('is not if something was refused, or nothing served', () => {
    expect(() => checkServed({ served: 1_000, refused: 1 }, 1_000)).toThrow('1 requests were refused');
    expect(() => checkServed({ served: 0, refused: 0 }, 1_000)).toThrow('nothing was served');
  });
});
