import { describe, expect, it } from 'vitest';
import { step } from '../../../../src/core/index.ts';
import {
  appendEntries,
  fiveNodes,
  flush,
  from,
  messagesOf,
  n1,
  n2,
  n3,
  n4,
  node,
  only,
  preVote,
  preVoteRequest,
  run,
  vote,
  voteRequest,
  wait,
} from '../builders.ts';

/** A candidate of five that has its own vote, and needs two more. */
function standing() {
  const asking = run(node({ configuration: fiveNodes }), { type: 'campaign', id: 0 }).state;
  return flush(run(asking, from(n2, preVote(1)), from(n3, preVote(1))).state).state;
}

describe('rule 7: votes are counted by member and term, pre-votes apart', () => {
  it('a vote that comes twice counts once', () => {
    const { state } = run(standing(), from(n2, vote(1)), from(n2, vote(1)), from(n2, vote(1)));

    expect(state.role).toMatchObject({ type: 'candidate', votes: [n1, n2] });
  });

  it('a vote of an earlier term counts for nothing', () => {
    const again = flush(
      run(run(standing(), { type: 'campaign', id: 0 }).state, from(n2, preVote(2)), from(n3, preVote(2)))
        .state,
    );

    const { state } = run(again.state, from(n2, vote(1)), from(n3, vote(1)), from(n4, vote(1)));

    expect(state).toMatchObject({ currentTerm: 2, role: { type: 'candidate', votes: [n1] } });
  });

  it('a pre-vote is no vote, and a vote no pre-vote', () => {
    const candidateAfter = run(standing(), from(n2, preVote(1)), from(n3, preVote(1))).state;
    const preCandidateAfter = run(
      run(node({ configuration: fiveNodes }), { type: 'campaign', id: 0 }).state,
      from(n2, vote(0)),
      from(n3, vote(0)),
    ).state;

    expect(candidateAfter.role).toMatchObject({ type: 'candidate', votes: [n1] });
    expect(preCandidateAfter.role).toMatchObject({ type: 'preCandidate', votes: [n1] });
  });

  it('a pre-vote that was granted for another term counts for nothing', () => {
    const asking = run(node(), { type: 'campaign', id: 0 }).state;

    const { state } = run(asking, from(n2, preVote(0)), from(n2, preVote(2)));

    expect(state.role).toMatchObject({ type: 'preCandidate', votes: [n1] });
  });

  it('answering a pre-vote changes no vote, term or timer', () => {
    const state = wait(node({ currentTerm: 3 }), 200).state;

    const { state: after, outputs } = step(state, from(n2, preVoteRequest(4)));

    expect(after).toEqual(state);
    expect(messagesOf(outputs)).toMatchObject([
      { message: { type: 'preVoteReply', term: 4, voteGranted: true } },
    ]);
  });

  it('asking for pre-votes changes no vote or term, and asks nothing of the disk', () => {
    const { state, outputs } = run(node({ currentTerm: 3, votedFor: n2 }), { type: 'campaign', id: 0 });

    expect(state).toMatchObject({ currentTerm: 3, votedFor: n2, role: { type: 'preCandidate' } });
    expect(only(outputs, 'persistReq')).toEqual([]);
  });

  it('of two candidates in a term only the first gets the vote', () => {
    const { state, outputs } = run(node(), from(n2, voteRequest(1)), from(n3, voteRequest(1)));

    expect(state.votedFor).toEqual(n2);
    expect(messagesOf([...outputs, ...flush(state).outputs])).toMatchObject([
      { to: 'n3', message: { voteGranted: false } },
      { to: 'n2', message: { voteGranted: true } },
    ]);
  });

  it('a wiped disk does not get the vote that its predecessor got', () => {
    const voted = flush(run(node(), from(n2, voteRequest(1))).state).state;

    const { outputs } = step(voted, from({ id: 'n2', storeId: 'another' }, voteRequest(1)));

    expect(messagesOf(outputs)).toMatchObject([{ message: { voteGranted: false } }]);
  });

  it('who hears from a leader gives neither vote nor pre-vote (thesis §4.2.3)', () => {
    const following = flush(run(node(), from(n2, appendEntries({ term: 1 }))).state).state;

    const { state, outputs } = run(following, from(n3, preVoteRequest(2)), from(n3, voteRequest(2)));

    expect(state).toEqual(following);
    expect(messagesOf(outputs)).toMatchObject([{ message: { type: 'preVoteReply', voteGranted: false } }]);
  });
});
