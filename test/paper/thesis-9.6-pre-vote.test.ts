import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  appendEntries,
  flush,
  from,
  messagesOf,
  n1,
  n2,
  n3,
  node,
  only,
  preVote,
  preVoteRequest,
  run,
  wait,
} from '../unit/core/builders.ts';

describe('thesis §9.6 Preventing disruptions when a server rejoins the cluster', () => {
  it('In the Pre-Vote algorithm, a candidate only increments its term if it first learns from a majority of the cluster that they would be willing to grant the candidate their votes.', () => {
    const asking = run(node(), { type: 'campaign', id: 0 });
    const declined = run(asking.state, from(n2, preVote(0, false)), from(n3, preVote(0, false))).state;
    const granted = run(asking.state, from(n3, preVote(1))).state;

    expect(messagesOf(asking.outputs)).toMatchObject([
      { message: { type: 'preVote', term: 1 } },
      { message: { term: 1 } },
    ]);
    expect(declined).toMatchObject({ currentTerm: 0, role: { type: 'preCandidate', votes: [n1] } });
    expect(granted).toMatchObject({ currentTerm: 1, role: { type: 'candidate' } });
  });

  it('A server grants its pre-vote if the candidate’s log is sufficiently up-to-date.', () => {
    const { outputs } = run(
      node({ terms: [1, 2] }),
      from(n2, preVoteRequest(3, [1, 1])),
      from(n3, preVoteRequest(3, [2, 2])),
    );

    expect(messagesOf(outputs)).toMatchObject([
      { message: { voteGranted: false } },
      { message: { voteGranted: true } },
    ]);
  });

  it('And only if the voters have not received heartbeats from a valid leader for at least a baseline election timeout.', () => {
    const following = flush(run(node(), from(n2, appendEntries({ term: 1 }))).state).state;
    const later = wait({ ...following, electionTimeoutMs: 1000 }, 500).state;

    const early = step(following, from(n3, preVoteRequest(2)));
    const late = step(later, from(n3, preVoteRequest(2)));

    expect(messagesOf(early.outputs)).toMatchObject([{ message: { voteGranted: false } }]);
    expect(messagesOf(late.outputs)).toMatchObject([{ message: { voteGranted: true } }]);
  });

  it('A server that is partitioned from the cluster does not increase its term, and does not disrupt the cluster when it rejoins.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    for (const other of ['n1', 'n2']) {
      cluster.cut('n3', other);
      cluster.cut(other, 'n3');
    }
    for (let rounds = 0; rounds < 20; rounds++) cluster.timeOut('n3');
    const alone = cluster.state('n3');

    cluster.heal();
    cluster.timeOut('n3');
    cluster.settle();
    cluster.tick('n1', 100);
    cluster.settle();

    expect(alone).toMatchObject({ currentTerm: 1, role: { type: 'preCandidate' } });
    expect(cluster.state('n1')).toMatchObject({ currentTerm: 1, role: { type: 'leader' } });
    expect(cluster.state('n3').role).toMatchObject({ type: 'follower', leader: { id: 'n1' } });
  });

  it('Granting a pre-vote is no promise: a server may grant several, and votes for whom it likes.', () => {
    const { state, outputs } = run(node(), from(n2, preVoteRequest(1)), from(n3, preVoteRequest(1)));

    expect(messagesOf(outputs)).toMatchObject([
      { message: { voteGranted: true } },
      { message: { voteGranted: true } },
    ]);
    expect(state.votedFor).toBeNull();
    expect(only(outputs, 'persistReq')).toEqual([]);
  });
});
