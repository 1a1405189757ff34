import { describe, expect, it } from 'vitest';
import { initialState, isSamePeer, step } from '../../../../src/core/index.ts';
import { BareCluster } from '../../../../src/testing/bare-cluster.ts';
import {
  ack,
  appendEntries,
  batchOf,
  candidate,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n2,
  node,
  run,
  vote,
  voteRequest,
  wait,
  write,
} from '../builders.ts';

const wiped = { id: 'n2', storeId: 'another' };

/** A node whose store holds no configuration. */
const homeless = () =>
  initialState({
    ...node(),
    seed: 1,
    hardState: { currentTerm: node().currentTerm, votedFor: null },
    configurations: [],
    appliedIndex: node().commitIndex,
  });

describe('rule 9: a node is its name and its store', () => {
  it('a vote of a known name on an unknown store does not count', () => {
    const { state } = run(flush(candidate()).state, from(wiped, vote(1)));

    expect(state.role.type).toBe('candidate');
  });

  it('an acknowledgement of a known name on an unknown store does not count', () => {
    const written = flush(run(establishedLeader(), write(1, 'x')).state).state;

    expect(run(written, from(wiped, ack(1, 2))).state.commitIndex).toBe(1);
    expect(run(written, from(n2, ack(1, 2))).state.commitIndex).toBe(2);
  });

  it('a node without a configuration does not stand for election', () => {
    const { state, outputs } = wait(homeless(), 3000);

    expect(state.role.type).toBe('follower');
    expect(messagesOf(outputs)).toEqual([]);
  });

  it('a node without a configuration does not vote', () => {
    const { state, outputs } = step(homeless(), from(n2, voteRequest(1)));

    expect(messagesOf(outputs)).toMatchObject([{ message: { voteGranted: false } }]);
    expect(isSamePeer(state.votedFor, null)).toBe(true);
  });

  it('a node without a configuration does not acknowledge', () => {
    const { state, outputs } = step(
      homeless(),
      from(n2, appendEntries({ term: 1, batches: [batchOf(1, 1)] })),
    );

    expect(outputs).toEqual([]);
    expect(state.log.lastIndex).toBe(0);
  });

  it('a store that takes the place of another is not taken for one that has caught up', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.write('n1', ['a']);
    cluster.settle();
    for (let ticks = 0; ticks < 30; ticks++) {
      for (const id of cluster.nodes.keys()) cluster.tick(id);
      cluster.settle();
    }
    cluster.crash('n3');
    cluster.wipe('n3');
    cluster.restart('n3');

    const replaced = cluster.changeMembers('n1', [
      { type: 'remove', id: 'n3' },
      { type: 'add', member: cluster.member('n3'), role: 'learner' },
      { type: 'promote', id: 'n3' },
    ]);

    expect(cluster.answer(replaced)).toMatchObject({ type: 'refused' });
    expect(cluster.state('n1').configurations).toHaveLength(1);
  });
});
