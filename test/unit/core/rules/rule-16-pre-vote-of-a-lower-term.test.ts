import { describe, expect, it } from 'vitest';
import { step } from '../../../../src/core/index.ts';
import { from, messagesOf, n2, node, preVote, preVoteRequest, run } from '../builders.ts';

describe('rule 16: a pre-vote of a lower term is answered', () => {
  it('with the term that its sender lacks', () => {
    const { state, outputs } = step(node({ currentTerm: 9 }), from(n2, preVoteRequest(3, [7, 2])));

    expect(messagesOf(outputs)).toMatchObject([
      { message: { type: 'preVoteReply', term: 9, voteGranted: false } },
    ]);
    expect(state.currentTerm).toBe(9);
  });

  it('so that the sender moves on to it, and can win the next time', () => {
    const asking = run(node({ currentTerm: 2, terms: [1, 2] }), { type: 'campaign', id: 0 }).state;

    const { state } = run(asking, from(n2, preVote(9, false)));

    expect(state).toMatchObject({ currentTerm: 9, role: { type: 'follower', leader: null } });
  });
});
