import { describe, expect, it } from 'vitest';
import { step } from '../../../../src/core/index.ts';
import { appendEntries, batchesOf, batchOf, from, n2, node } from '../builders.ts';

describe('rule 5: a follower commits at most what this very message has verified', () => {
  it.each([
    ['the leader’s commit, when more was verified', [batchOf(3, 2), batchOf(4, 2)], 3, 3],
    ['the last new entry, when the leader has committed more', [batchOf(3, 2)], 9, 3],
    ['the previous entry, in a heartbeat', [], 9, 2],
  ])('through %s', (_what, batches, commit, expected) => {
    const state = node({ terms: [1, 1], currentTerm: 2 });

    const { state: after } = step(state, from(n2, appendEntries({ term: 2, prev: [2, 1], batches, commit })));

    expect(after.commitIndex).toBe(expected);
  });

  it('not through entries of its own that the leader never mentioned', () => {
    const state = node({ terms: [1, 1, 1, 1], currentTerm: 1 });

    const { state: after } = step(state, from(n2, appendEntries({ term: 2, prev: [1, 1], commit: 4 })));

    expect(after.commitIndex).toBe(1);
    expect(after.log.lastIndex).toBe(4);
  });

  it('and never less than before', () => {
    const state = step(
      node(),
      from(n2, appendEntries({ term: 1, batches: batchesOf(1, 1), commit: 2 })),
    ).state;

    const { state: after } = step(state, from(n2, appendEntries({ term: 1, prev: [1, 1], commit: 1 })));

    expect(after.commitIndex).toBe(2);
  });
});
