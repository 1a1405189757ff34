import { describe, expect, it } from 'vitest';
import { step } from '../../../src/core/index.ts';
import { appendEntries, batchOf, from, n2, node, run } from './builders.ts';

describe('a follower that receives entries together with their commit', () => {
  it('asks the disk for them before it asks the state machine to apply them', () => {
    const message = appendEntries({ term: 1, batches: [batchOf(1, 1)], commit: 1 });

    const { outputs } = step(node(), from(n2, message));

    expect(outputs.map((output) => output.type)).toEqual(['persistReq', 'applyReq']);
  });
});

describe('a follower whose leader contradicts itself within a term', () => {
  it('reports two leaders, and keeps what it has verified', () => {
    const entries = [batchOf(1, 2), batchOf(2, 2), batchOf(3, 2)];
    const following = run(node(), from(n2, appendEntries({ term: 2, batches: entries }))).state;

    const { state, outputs } = step(
      following,
      from(n2, appendEntries({ term: 2, batches: [batchOf(1, 1)] })),
    );

    expect(state).toBe(following);
    expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'twoLeaders' }]);
  });
});
