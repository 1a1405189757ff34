import { describe, expect, it } from 'vitest';
import { step } from '../../../src/core/index.ts';
import { appendEntries, batchOf, from, n2, node } from './builders.ts';

describe('a follower that receives entries together with their commit', () => {
  it('asks the disk for them before it asks the state machine to apply them', () => {
    const message = appendEntries({ term: 1, batches: [batchOf(1, 1)], commit: 1 });

    const { outputs } = step(node(), from(n2, message));

    expect(outputs.map((output) => output.type)).toEqual(['persistReq', 'applyReq']);
  });
});
