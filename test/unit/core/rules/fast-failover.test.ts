import { describe, expect, it } from 'vitest';
import { type Input, type State, step } from '../../../../src/core/index.ts';
import {
  appendEntries,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  node,
  preVoteRequest,
  run,
  voteRequest,
  wait,
} from '../builders.ts';

/** A follower of n2. */
function following(seed = 1): State {
  return flush(run(node({ seed }), from(n2, appendEntries({ term: 1 }))).state).state;
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
