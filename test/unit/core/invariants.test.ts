import { describe, expect, it } from 'vitest';
import {
  checkState,
  checkTransition,
  type Follower,
  index,
  type Leader,
  type Progress,
  type State,
  term,
} from '../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  batchesOf,
  candidate,
  establishedLeader,
  flush,
  from,
  leader,
  n1,
  n2,
  n3,
  node,
  run,
  write,
} from './builders.ts';

/** A follower of n2 with five entries, three of them committed, one applied. */
function follower(): State {
  const message = appendEntries({ term: 2, batches: batchesOf(1, 1, 2, 2, 2), commit: 3, round: 1 });
  const { state } = run(node(), from(n2, message));
  return run(state, { type: 'applyRes', seq: 1, appliedIndex: index(1), durableIndex: index(0) }).state;
}

const following = (change: Partial<Follower>): State => {
  const state = follower();
  return { ...state, role: { ...(state.role as Follower), ...change } };
};

const leading = (change: Partial<Leader>): State => {
  const state = establishedLeader();
  return { ...state, role: { ...(state.role as Leader), ...change } };
};

const serving = (change: Partial<Progress>): State => {
  const { peers } = establishedLeader().role as Leader;
  return leading({ peers: peers.map((peer, at) => (at === 0 ? { ...peer, ...change } : peer)) });
};

const standing = (change: object): State => ({ ...candidate(), ...change });

describe('checkState', () => {
  it.each([
    ['a follower', follower()],
    ['a candidate', candidate()],
    ['a leader', leader()],
    ['a leader that has committed', establishedLeader()],
  ])('has nothing to say about %s', (_what, state) => {
    expect(checkState(state)).toBeUndefined();
  });

  it.each<[string, State]>([
    ['lastApplied 4 is above commitIndex 3', { ...follower(), lastApplied: index(4) }],
    ['commitIndex 6 is above lastIndex 5', { ...follower(), commitIndex: index(6) }],
    ["the last entry's term 2 is above term 1", { ...follower(), currentTerm: term(1) }],
    ['terms of the log fall', withTerms(follower(), [1, 3], [3, 2])],
    ['terms begin out of order', withTerms(follower(), [1, 1], [1, 2])],
    ['the first entry has no term', withTerms(follower(), [2, 1], [3, 2])],
    ['a term begins beyond the last entry', withTerms(follower(), [1, 1], [6, 2])],
    ['durableSeq 9 is above persistSeq 1', { ...follower(), durableSeq: 9, unflushed: [] }],
    ['hardStateSeq 9 is above persistSeq 1', { ...follower(), hardStateSeq: 9 }],
    ['a flushed request counts as unflushed', { ...follower(), durableSeq: 1 }],
    ['unflushed indexes are out of order', { ...follower(), unflushed: [unflushed(1, 4), unflushed(2, 2)] }],
    ['durable through 6 of 5', { ...follower(), unflushed: [unflushed(1, 7)] }],
    ['verified through 6, beyond 5', following({ verifiedIndex: index(6) })],
    ['commitIndex 3 is above the verified 2', following({ verifiedIndex: index(2) })],
    ['acknowledged 4, verified 3', following({ ackedIndex: index(4), verifiedIndex: index(3) })],
    ['acknowledged to nobody', following({ leader: null })],
    [
      'a vote is not a member’s',
      standing({ role: { type: 'candidate', votes: [{ id: 'n9', storeId: 'n9' }] } }),
    ],
    ['a vote counts twice', standing({ role: { type: 'candidate', votes: [n2, n2] } })],
    ['a majority of votes does not go on', standing({ role: { type: 'candidate', votes: [n2, n3] } })],
    ['a candidate has not voted for itself', standing({ votedFor: n2 })],
    ['before it is durable', standing({ role: { type: 'candidate', votes: [n1] } })],
    ['a message of another term is held', standing({ currentTerm: term(5) })],
    ['a leader has not voted for itself', { ...establishedLeader(), votedFor: null }],
    ['1 followers of 2 are served', leading({ peers: (establishedLeader().role as Leader).peers.slice(1) })],
    ['readyIndex is not of this term', leading({ readyIndex: index(7) })],
    [
      'a round that never began',
      leading({ reads: [{ id: 1, payload: undefined, round: 3, index: index(0) }] }),
    ],
    ['n2 matches 9, beyond 1', serving({ matchIndex: index(9), nextIndex: index(10) })],
    ['n2 is to get 1 and matches 1', serving({ nextIndex: index(1) })],
    ['n2 has 0 bytes in flight, counted as 5', serving({ inflightBytes: 5 })],
    ['n2 answered round 4 of 0', serving({ round: 4 })],
    [
      'a write waits for a lost entry',
      { ...leading({}), writes: [{ id: 1, index: index(9), lastIndex: index(9), term: term(1), bytes: 5 }] },
    ],
    [
      'an applied write waits',
      {
        ...leading({}),
        lastApplied: index(1),
        writes: [{ id: 1, index: index(1), lastIndex: index(1), term: term(1), bytes: 5 }],
      },
    ],
    [
      'a leader that has stepped down',
      { ...follower(), writes: [{ id: 1, index: index(5), lastIndex: index(5), term: term(2), bytes: 5 }] },
    ],
  ])('says "%s"', (problem, state) => {
    expect(checkState(state)).toContain(problem);
  });
});

function withTerms(state: State, ...starts: readonly (readonly [number, number])[]): State {
  const terms = starts.map(([at, inTerm]) => ({ index: index(at), term: term(inTerm) }));
  return { ...state, currentTerm: term(9), log: { ...state.log, terms } };
}

function unflushed(seq: number, firstIndex: number) {
  return { seq, firstIndex: index(firstIndex) };
}

describe('checkTransition', () => {
  const before = follower();
  const led = establishedLeader();
  const { state: wrote } = run(led, write(1, 'x'));

  it.each<[string, State, State]>([
    ['a step that is a fault', before, before],
    ['a flush', before, flush(before).state],
    ['a write of a leader', led, wrote],
    ['a leader that steps down', wrote, run(wrote, from(n2, ack(9, 0))).state],
    ['an election', candidate(), leader()],
  ])('has nothing to say about %s', (_what, from_, to) => {
    expect(checkTransition(from_, to)).toBeUndefined();
  });

  it.each<[string, State, State]>([
    ['currentTerm fell from 2 to 1', before, { ...before, currentTerm: term(1) }],
    ['commitIndex fell from 3 to 2', before, { ...before, commitIndex: index(2) }],
    ['lastApplied fell from 1 to 0', before, { ...before, lastApplied: index(0) }],
    ['durableSeq fell from 1 to 0', flush(before).state, before],
    ['a second vote in one term', { ...before, votedFor: n2 }, { ...before, votedFor: n3 }],
    ['a second vote in one term', { ...before, votedFor: n2 }, { ...before, votedFor: null }],
    ['a term or vote is not written', before, { ...before, votedFor: n3, persistSeq: 2 }],
    ['a term or vote counts as written before', before, { ...before, votedFor: n3 }],
    ['though kept through 3', before, { ...withTerms(before, [1, 1], [2, 2]), currentTerm: term(2) }],
    ['though kept through 3', before, { ...before, log: { ...before.log, terms: [] } }],
    [
      'a follower became leader without an election',
      before,
      {
        ...led,
        currentTerm: term(2),
        hardStateSeq: 2,
        persistSeq: 2,
        commitIndex: index(3),
        lastApplied: index(1),
        log: before.log,
        self: n1,
      },
    ],
    ['a leader deleted entries', wrote, { ...wrote, log: led.log }],
    ['the progress of n2 fell', led, serving({ matchIndex: index(0) })],
    ['readyIndex changed', led, leading({ readyIndex: index(7) })],
    ['a second leader in one term', before, following({ leader: n3 })],
    ['verified fell from 5', before, following({ verifiedIndex: index(4) })],
    [
      'acknowledged fell from 5',
      flush(before).state,
      { ...flush(before).state, role: { ...(flush(before).state.role as Follower), ackedIndex: index(1) } },
    ],
    ['a node became another', before, { ...before, self: n2 }],
  ])('says "%s"', (problem, from_, to) => {
    expect(checkTransition(from_, to)).toContain(problem);
  });
});
