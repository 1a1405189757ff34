import { describe, expect, it } from 'vitest';
import { index, index0, type Message, step, term } from '../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  establishedLeader,
  flush,
  from,
  leader,
  messagesOf,
  n1,
  n2,
  n3,
  node,
  only,
  preVote,
  preVoteRequest,
  run,
  threeNodes,
  vote,
  voteRequest,
  votersOf,
  wait,
} from './builders.ts';

/** The last term that there is. */
const termMax = 2 ** 52 - 1;
/** So far ahead is out of reach. */
const leap = 2 ** 33;

/** Every type of message, in a term. */
const messagesIn = (at: number): readonly Message[] => [
  preVoteRequest(at, [9, 1]),
  preVote(at),
  preVote(at, false),
  voteRequest(at, [9, 1]),
  { ...voteRequest(at, [9, 1]), isTransfer: true } as Message,
  vote(at, false),
  appendEntries({ term: at }),
  { ...ack(at, 0), success: false } as Message,
  { type: 'timeoutNow', term: term(at) },
  {
    type: 'installSnapshot',
    term: term(at),
    transferId: 't',
    snapshot: {
      index: index(9),
      term: term(1),
      logTimeMs: 0,
      configuration: { index: index0, configuration: threeNodes },
    },
  },
];

describe('a peer in a term that no elections lead to', () => {
  it.each([
    ['follower', node({ currentTerm: 3, terms: [1] })],
    ['leader', establishedLeader()],
  ])('is at fault, and the term of a %s stays as it is', (_, state) => {
    const { currentTerm } = state;
    for (const at of [currentTerm + leap, termMax])
      for (const message of messagesIn(at)) {
        const { state: after, outputs } = step(state, from(n2, message));

        const detail = { from: 'n2', term: at, currentTerm };
        expect(after).toBe(state);
        expect(outputs).toEqual([{ type: 'fault', scope: 'peer', kind: 'termBeyondReach', detail }]);
      }
  });

  it('is followed where it is less far ahead', () => {
    const at = 2 + leap;

    for (const message of messagesIn(at)) {
      const { outputs } = step(node({ currentTerm: 3, terms: [1] }), from(n2, message));
      expect(only(outputs, 'fault')).toEqual([]);
    }
    expect(step(node({ currentTerm: 3 }), from(n2, vote(at, false))).state.currentTerm).toBe(at);
  });

  it('shuts nobody out by one bit that is wrong: who has not met it follows those that have', () => {
    for (let bit = 0; bit < 52; bit++) {
      const met = step(node({ currentTerm: 4 }), from(n3, vote(4 + 2 ** bit, false))).state;
      const elected = voteRequest(met.currentTerm + 1000);

      const { outputs } = step(node({ self: n2, currentTerm: 4 }), from(n1, elected));

      expect(only(outputs, 'fault')).toEqual([]);
    }
  });
});

describe('a node in term 0', () => {
  it('joins a cluster of any age', () => {
    const old = 2 ** 51 - 1;

    const { state, outputs } = step(node(), from(n2, appendEntries({ term: old })));

    expect(state.currentTerm).toBe(old);
    expect(only(outputs, 'fault')).toEqual([]);
  });

  it('is not brought near the last term either', () => {
    for (const message of messagesIn(2 ** 51)) {
      const { state, outputs } = step(node(), from(n2, message));

      expect(state.currentTerm).toBe(0);
      expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'termBeyondReach' }]);
    }
  });
});

describe('a node in the last term that there is', () => {
  const last = node({ currentTerm: termMax, terms: [1] });
  const heartbeat = from(n2, appendEntries({ term: termMax, prev: [1, 1] }));

  it('does not stand for election, whoever asks it to', () => {
    for (const state of [last, run(last, heartbeat).state]) {
      const timeoutNow = from(n2, { type: 'timeoutNow', term: term(termMax) });
      const asked = run(state, { type: 'campaign', id: 1 }, timeoutNow, { type: 'peerDown', id: 'n2' });
      const waited = wait(asked.state, 5_000);

      expect(only(asked.outputs, 'adminRes')).toMatchObject([{ result: { type: 'refused' } }]);
      expect(waited.state).toMatchObject({ currentTerm: termMax, role: { type: 'follower' } });
      expect(messagesOf([...asked.outputs, ...waited.outputs])).toEqual([]);
    }
  });

  it('does not even as the only voter', () => {
    const { state } = wait(node({ currentTerm: termMax, configuration: votersOf(n1) }), 5_000);

    expect(state).toMatchObject({ currentTerm: termMax, role: { type: 'follower' } });
  });

  it('follows, votes and leads in it', () => {
    const followed = run(last, heartbeat);
    const voted = run(last, from(n2, voteRequest(termMax, [1, 1])));

    expect(followed.state.role).toMatchObject({ type: 'follower', leader: n2 });
    expect(voted.state.votedFor).toEqual(n2);
    expect(messagesOf(flush(voted.state).outputs)).toMatchObject([{ message: { voteGranted: true } }]);
    expect(leader({ currentTerm: termMax - 1 })).toMatchObject({
      currentTerm: termMax,
      role: { type: 'leader' },
    });
  });
});
