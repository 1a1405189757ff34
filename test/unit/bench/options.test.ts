import { describe, expect, it } from 'vitest';
import { positive, positiveCount } from '../../../bench/harness/options.ts';

describe('a number on the command line of a benchmark', () => {
  it('is above 0', () => {
    expect(positive('minutes', '0.5')).toBe(0.5);
    for (const text of ['0', '-1', 'many', ''])
      expect(() => positive('minutes', text)).toThrow(`--minutes is ${text}, expected a number above 0`);
  });

  it('is whole where it is a count', () => {
    expect(positiveCount('rounds', '3')).toBe(3);
    for (const text of ['0', '-1', '1.5', 'Infinity', 'many', ''])
      expect(() => positiveCount('rounds', text)).toThrow(
        `--rounds is ${text}, expected a whole number above 0`,
      );
  });
});
