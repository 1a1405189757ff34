import { describe, expect, it } from 'vitest';
import { ShownCommits } from '../../../src/testing/simulator/shown-commits.ts';

/** A process that applied 3, 5, 6 and 9, all before 5 was shown. */
function shown(): ShownCommits {
  const commits = new ShownCommits('n1');
  for (const index of [3, 5, 6, 9]) commits.applied(index);
  commits.shown(5);
  return commits;
}

describe('what commits$ shows of what is applied', () => {
  it('begins anywhere, and goes on with what is applied next', () => {
    const commits = shown();

    commits.shown(6);
    commits.shown(9);

    expect(() => commits.checkAll()).not.toThrow();
  });

  it('has no gap, nothing twice, and an end', () => {
    expect(() => shown().shown(9)).toThrow('commits$ of n1 shows 9 after 5, next applied is 6');
    expect(() => shown().shown(5)).toThrow('commits$ of n1 shows 5 after 5, next applied is 6');
    expect(() => shown().checkAll()).toThrow('commits$ of n1 does not show 6, which it has applied');
  });

  it('is nothing that was never applied', () => {
    expect(() => new ShownCommits('n1').shown(4)).toThrow('shows 4 after 0, next applied is undefined');
  });
});
