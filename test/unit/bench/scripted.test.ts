import { describe, expect, it } from 'vitest';
import { isExplained } from '../../../bench/cases/scripted.ts';
import type { Bar } from '../../../bench/harness/report.ts';

const bar = (figure: number): Bar => ({ what: 'elections', figure, unit: '', must: 'below', limit: 1 });

describe('a script that ended', () => {
  it('with 0 did its work', () => {
    expect(isExplained(0, [])).toBe(true);
  });

  it('with 1 and a bar that was missed said so itself', () => {
    expect(isExplained(1, [bar(0), bar(1)])).toBe(true);
  });

  it('with 1 failed if every bar until then was met', () => {
    expect(isExplained(1, [])).toBe(false);
    expect(isExplained(1, [bar(0)])).toBe(false);
  });

  it('in any other way failed', () => {
    expect(isExplained(2, [bar(1)])).toBe(false);
    expect(isExplained('SIGKILL', [bar(1)])).toBe(false);
  });
});
