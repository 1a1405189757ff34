import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/index.ts';
import {
  ack,
  appendEntries,
  candidate,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  node,
  only,
  run,
  vote,
  voteRequest,
} from '../unit/core/builders.ts';

describe('§5.1 Raft basics', () => {
  it('If one server’s current term is smaller than the other’s, then it updates its current term to the larger value.', () => {
    const messages = [
      voteRequest(7),
      vote(7, false),
      appendEntries({ term: 7 }),
      { ...ack(7, 0), success: false },
      { type: 'preVoteReply', term: 7, voteGranted: false },
    ] as const;

    for (const message of messages) {
      expect(
        step(node({ currentTerm: 3 }), from(n2, message as ReturnType<typeof ack>)).state.currentTerm,
      ).toBe(7);
    }
  });

  it('If a candidate or leader discovers that its term is out of date, it immediately reverts to follower state.', () => {
    const deposedCandidate = step(candidate(), from(n2, vote(9, false))).state;
    const deposedLeader = step(leader(), from(n2, ack(9, 0))).state;

    expect(deposedCandidate).toMatchObject({ currentTerm: 9, role: { type: 'follower' } });
    expect(deposedLeader).toMatchObject({ currentTerm: 9, role: { type: 'follower' } });
  });

  it('If a server receives a request with a stale term number, it rejects the request.', () => {
    const state = node({ currentTerm: 5, terms: [1] });

    const { state: after, outputs } = run(
      state,
      from(n2, appendEntries({ term: 4, prev: [1, 1], commit: 1 })),
      from(n2, voteRequest(4, [9, 4])),
    );

    expect(after).toEqual(state);
    expect(messagesOf(outputs)).toMatchObject([
      { to: 'n2', message: { type: 'appendEntriesReply', term: 5, success: false } },
      { to: 'n2', message: { type: 'requestVoteReply', term: 5, voteGranted: false } },
    ]);
  });

  it('Current terms are exchanged whenever servers communicate.', () => {
    const standing = flush(candidate({ currentTerm: 3 }));
    const led = run(standing.state, from(n2, vote(4)));

    const terms = [...messagesOf(standing.outputs), ...messagesOf(led.outputs)].map(
      ({ message }) => message.term,
    );

    expect(terms).toEqual([4, 4, 4, 4]);
  });

  it('Each server stores a current term number, which increases monotonically over time.', () => {
    const { state, outputs } = run(
      node({ currentTerm: 5 }),
      from(n2, voteRequest(6)),
      from(n2, voteRequest(2)),
      from(n2, appendEntries({ term: 8 })),
      from(n2, vote(3, false)),
    );

    expect(state.currentTerm).toBe(8);
    expect(only(outputs, 'persistReq').map((request) => request.hardState?.currentTerm)).toEqual([6, 8]);
  });
});
