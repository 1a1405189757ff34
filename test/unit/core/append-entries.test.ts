import { describe, expect, it } from 'vitest';
import { step } from '../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  batchOf,
  establishedLeader,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  n3,
  node,
  run,
} from './builders.ts';

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

describe('a follower that comes back', () => {
  it('is asked for the end of the log, not the beginning, if it has not answered this leader yet', () => {
    const { outputs } = run(leader({ terms: [1, 1, 1] }), { type: 'peerUp', id: 'n3' });

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { prevLogIndex: 4, batches: [] } }]);
  });

  it('is asked for what follows its last answer otherwise', () => {
    const leading = run(establishedLeader({ terms: [1, 1, 1] }), from(n3, ack(2, 2))).state;

    const { outputs } = run(leading, { type: 'peerUp', id: 'n3' });

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { prevLogIndex: 2 } }]);
  });
});

describe('a follower whose disk is slow', () => {
  it('holds back one refusal for its leader, the latest, however often it is asked', () => {
    const asked = [7, 6, 5].map((prev) => from(n2, appendEntries({ term: 2, prev: [prev, 2] })));
    const waiting = run(node({ terms: [1] }), ...asked).state;

    const { outputs } = flush(waiting);

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: { success: false, rejectedIndex: 5 } }]);
  });
});
