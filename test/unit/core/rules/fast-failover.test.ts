import { describe, expect, it } from 'vitest';
import { type Input, type State, step } from '../../../../src/core/index.ts';
import {
  appendEntries,
  fiveNodes,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  n4,
  n5,
  node,
  preVote,
  preVoteRequest,
  run,
  threeNodes,
  vote,
  voteRequest,
  wait,
} from '../builders.ts';

/** A follower of n2. */
function following(seed = 1, configuration = threeNodes): State {
  return flush(run(node({ seed, configuration }), from(n2, appendEntries({ term: 1 }))).state).state;
}

/** A follower of n2 that lost its connection to it, and asks for pre-votes. */
function asking(seed = 1, configuration = threeNodes): State {
  return wait(step(following(seed, configuration), lost('n2')).state, 50).state;
}

/** One that was told it could win, and stands in term 2. */
function standing(seed = 1): State {
  return flush(run(asking(seed), from(n3, preVote(2))).state).state;
}

/** Nodes with fifty different seeds. */
function fifty(build: (seed: number) => State): readonly State[] {
  return Array.from({ length: 50 }, (_, seed) => build(seed));
}

const lost = (id: string): Input => ({ type: 'peerDown', id });
const back = (id: string): Input => ({ type: 'peerUp', id });

/** How long it waits before it asks for pre-votes. */
function delayOf(state: State): number {
  return state.electionTimeoutMs - state.electionElapsedMs;
}

describe('a follower whose own connection to the leader broke', () => {
  it('asks for pre-votes within 40 ms, instead of waiting for the election timeout', () => {
    const delays = Array.from({ length: 50 }, (_, seed) => delayOf(step(following(seed), lost('n2')).state));

    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...delays)).toBeLessThanOrEqual(40);
    expect(new Set(delays).size).toBeGreaterThan(15);
    expect(wait(step(following(), lost('n2')).state, 50).state.role.type).toBe('preCandidate');
  });

  it('gives pre-votes and votes to others at once', () => {
    const { outputs } = run(following(), lost('n2'), from(n3, preVoteRequest(2)), from(n3, voteRequest(2)));

    expect(messagesOf(outputs)).toMatchObject([{ message: { type: 'preVoteReply', voteGranted: true } }]);
    expect(outputs).toContainEqual(expect.objectContaining({ hardState: { currentTerm: 2, votedFor: n3 } }));
  });

  it('waits as before when the connection comes back, or the leader is heard', () => {
    const reconnected = run(following(), lost('n2'), back('n2')).state;
    const heard = run(following(), lost('n2'), from(n2, appendEntries({ term: 1 }))).state;

    for (const state of [reconnected, heard]) {
      expect(delayOf(state)).toBeGreaterThanOrEqual(500);
      expect(messagesOf(step(state, from(n3, preVoteRequest(2))).outputs)).toMatchObject([
        { message: { voteGranted: false } },
      ]);
    }
  });

  it('does not care about a connection with anybody else', () => {
    const state = following();

    expect(step(state, lost('n3'))).toEqual({ state: { ...state, downPeers: ['n3'] }, outputs: [] });
  });
});

describe('a node that has missed its leader and can’t win any more', () => {
  const again = (seed: number) => run(asking(seed), from(n3, preVote(1, false))).state;

  it('stands again within 80 ms after a split vote, instead of waiting for the election timeout', () => {
    const delays = fifty((seed) => run(standing(seed), from(n3, vote(2, false))).state).map(delayOf);

    expect(Math.max(...delays)).toBeLessThanOrEqual(80);
    expect(Math.max(...delays)).toBeGreaterThan(40);
    expect(new Set(delays).size).toBeGreaterThan(15);
  });

  it('asks again within 80 ms when somebody who has not missed the leader yet declined', () => {
    expect(Math.max(...fifty(again).map(delayOf))).toBeLessThanOrEqual(80);
  });

  it('waits twice as long at most each time, three times, and then for the election timeout', () => {
    const repeated = (state: State) =>
      run(wait(state, delayOf(state) + 25).state, from(n3, preVote(1, false))).state;
    const second = fifty(again).map(repeated);
    const third = second.map(repeated);
    const fourth = third.map(repeated);

    const longest = [second, third].map((states) => Math.max(...states.map(delayOf)));
    expect(longest[0]).toBeGreaterThan(80);
    expect(longest[0]).toBeLessThanOrEqual(160);
    expect(longest[1]).toBeGreaterThan(160);
    expect(longest[1]).toBeLessThanOrEqual(320);
    expect(Math.min(...fourth.map(delayOf))).toBeGreaterThanOrEqual(500);
  });

  it('waits for the others while they may still agree, and draws once for each election', () => {
    const one = run(asking(1, fiveNodes), from(n3, preVote(1, false))).state;
    const two = run(one, from(n4, preVote(1, false))).state;
    const three = run(two, from(n5, preVote(1, false)), from(n4, preVote(1, false))).state;

    expect(delayOf(one)).toBeGreaterThanOrEqual(500);
    expect(delayOf(two)).toBeLessThanOrEqual(80);
    expect(three.failovers).toBe(two.failovers);
  });

  it('does not hurry when the connection to the leader has not broken', () => {
    const { electionTimeoutMs } = following();
    const asked = wait(following(), electionTimeoutMs + 25).state;

    const { state } = run(asked, from(n2, preVote(1, false)), from(n3, preVote(1, false)));

    expect(state.role).toMatchObject({ type: 'preCandidate', declined: [n2, n3] });
    expect(delayOf(state)).toBe(delayOf(asked));
  });

  it('begins anew with the next leader', () => {
    const heard = fifty(again).map((state) => run(state, from(n3, appendEntries({ term: 2 }))).state);
    const lostAgain = heard.map((state) => run(state, lost('n3')).state);

    expect(Math.min(...heard.map(delayOf))).toBeGreaterThanOrEqual(500);
    expect(Math.max(...lostAgain.map(delayOf))).toBeLessThanOrEqual(40);
  });
});
