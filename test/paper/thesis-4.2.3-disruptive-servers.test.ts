import { describe, expect, it } from 'vitest';
import { type Message, type State, step } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  appendEntries,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  node,
  run,
  voteRequest,
  wait,
} from '../unit/core/builders.ts';

/** A node that has just heard from n2, the leader of term 1, and would wait for a second. */
function follower(): State {
  const { state } = flush(run(node(), from(n2, appendEntries({ term: 1 }))).state);
  return { ...state, electionTimeoutMs: 1000 };
}

const isTransfer = (request: Message) => ({ ...request, isTransfer: true }) as Message;

describe('thesis §4.2.3 Disruptive servers', () => {
  it('Without additional mechanism, servers not in C-new can disrupt the cluster: they will time out and start new elections. Thus, servers should not be able to disrupt a leader whose cluster is receiving heartbeats.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.settle();
    for (const other of ['n1', 'n2']) {
      cluster.cut('n3', other);
      cluster.cut(other, 'n3');
    }
    const removed = cluster.changeMembers('n1', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();
    cluster.heal(); // n3 never learns that it has been removed.

    for (let rounds = 0; rounds < 5; rounds++) {
      cluster.timeOut('n3');
      cluster.settle();
      cluster.wait('n1', 100);
    }

    expect(cluster.answer(removed)).toEqual({ type: 'ok' });
    expect(cluster.state('n3').role.type).toBe('preCandidate');
    expect(cluster.state('n1')).toMatchObject({ currentTerm: 1, role: { type: 'leader' } });
  });

  it('If a server receives a RequestVote request within the minimum election timeout of hearing from a current leader, it does not update its term or grant its vote.', () => {
    const early = wait(follower(), 475).state;

    const { state, outputs } = step(early, from(n3, voteRequest(7)));

    expect(state).toEqual(early);
    expect(messagesOf(outputs)).toEqual([]);
  });

  it('A leader is considered active if it is able to maintain heartbeats to its followers: it hears from a leader, itself.', () => {
    const leading = establishedLeader();

    expect(step(leading, from(n3, voteRequest(7, [9, 1]))).state).toEqual(leading);
  });

  it('This does not affect normal elections, where each server waits at least a minimum election timeout before starting an election.', () => {
    const late = wait(follower(), 500).state;

    const { state } = step(late, from(n3, voteRequest(2)));

    expect(state).toMatchObject({ currentTerm: 2, votedFor: n3 });
  });

  it('RequestVote messages of a leadership transfer should be processed by other servers even when they believe a current cluster leader exists: they include a special flag ("I have permission to disrupt the leader—it told me to!").', () => {
    const { state } = step(follower(), from(n3, isTransfer(voteRequest(2))));

    expect(state).toMatchObject({ currentTerm: 2, votedFor: n3 });
  });
});
