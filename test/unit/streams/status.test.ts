import { describe, expect, it } from 'vitest';
import { defaultConfig, explain, type State } from '../../../src/core/index.ts';
import { statusOf } from '../../../src/streams/status.ts';
import { ack, establishedLeader, from, leader, n2, n3, run, wait } from '../core/builders.ts';

const { electionTimeoutMsMin, heartbeatIntervalMs, tickIntervalMs } = defaultConfig;

/** What a leader's status says of n2 and n3. */
const statesOf = (state: State) => statusOf(state, 'c', []).peers.map((peer) => peer.state);

/** Every state that a leader goes through, a tick at a time, while n2 answers every tick and n3 so often. */
function whileAnswering(state: State, forMs: number, everyMs = Number.POSITIVE_INFINITY): readonly State[] {
  const states = [state];
  for (let ms = tickIntervalMs; ms <= forMs; ms += tickIntervalMs) {
    const later = run(wait(states.at(-1) as State, tickIntervalMs).state, from(n2, ack(1, 1))).state;
    states.push(ms % everyMs === 0 ? run(later, from(n3, ack(1, 1))).state : later);
  }
  return states;
}

describe('a peer in the status of its leader', () => {
  it('is unreachable once it has been silent for an election timeout, though its connection is open, and stays so', () => {
    const answered = whileAnswering(establishedLeader(), electionTimeoutMsMin, heartbeatIntervalMs);

    const silent = whileAnswering(answered.at(-1) as State, 4 * electionTimeoutMsMin);

    const seen = silent.map((state) => statesOf(state)[1]);
    const since = seen.indexOf('unreachable');
    expect(since * tickIntervalMs).toBeGreaterThanOrEqual(electionTimeoutMsMin);
    expect(since * tickIntervalMs).toBeLessThanOrEqual(2 * electionTimeoutMsMin);
    expect(new Set(seen.slice(since))).toEqual(new Set(['unreachable']));
    expect(silent.slice(since).every((state) => explain(state).some(saysSilent))).toBe(true);
    expect(silent.map((state) => statesOf(state)[0])).not.toContain('unreachable');
  });

  it('is back with its first answer', () => {
    const silent = whileAnswering(establishedLeader(), 3 * electionTimeoutMsMin).at(-1) as State;

    const back = run(silent, from(n3, ack(1, 1))).state;

    expect([silent, back].map((state) => statesOf(state)[1])).toEqual(['unreachable', 'replicate']);
  });

  it('is never unreachable while it answers, be it once in an election timeout', () => {
    const everyMs = electionTimeoutMsMin - 2 * tickIntervalMs;
    const states = whileAnswering(establishedLeader(), 6 * electionTimeoutMsMin, everyMs);

    expect(states.flatMap(statesOf)).not.toContain('unreachable');
  });

  it('is not unreachable to a leader that has just been elected, before it has had the time to answer', () => {
    let state = leader();
    const seen: string[] = [];
    for (let ms = 0; ms < electionTimeoutMsMin; ms += tickIntervalMs) {
      seen.push(...statesOf(state));
      state = wait(state, tickIntervalMs).state;
    }

    expect(seen).not.toContain('unreachable');
  });
});

function saysSilent({ text }: { readonly text: string }): boolean {
  return text.startsWith('n3 is connected but has not answered lately');
}
