import { describe, expect, it } from 'vitest';
import type { State } from '../../../../src/core/index.ts';
import {
  ack,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n2,
  node,
  only,
  run,
  voteRequest,
  wait,
  write,
} from '../builders.ts';

/** A leader whose followers answer, tick by tick. */
function answered(state: State, ms: number): ReturnType<typeof run> {
  let result: ReturnType<typeof run> = { state, outputs: [] };
  for (let passed = 0; passed < ms && result.state.role.type === 'leader'; passed += 100) {
    const waited = wait(run(result.state, from(n2, ack(1, 1))).state, 100);
    result = { state: waited.state, outputs: [...result.outputs, ...waited.outputs] };
  }
  return result;
}

describe('rule 18: a leader whose own disk hangs for an election timeout steps down', () => {
  it('though its followers answer, and what it wrote is unknown', () => {
    const { state } = run(establishedLeader(), write(1, 'x'));

    const hung = answered(state, 1500);

    expect(hung.state.role).toMatchObject({ type: 'follower', leader: null });
    expect(only(hung.outputs, 'writeRes')).toMatchObject([{ id: 1, result: { type: 'unknown' } }]);
  });

  it('leads on if a flush was slow, and came', () => {
    const { state } = run(establishedLeader(), write(1, 'x'));

    const slow = answered(state, 900).state;
    const well = answered(flush(slow).state, 3000).state;

    expect(well.role.type).toBe('leader');
  });

  it('leads on while flushes come, though there is always one under way', () => {
    let { state } = run(establishedLeader(), write(1, 'x'));
    for (let id = 2; id < 8; id++) {
      state = answered(run(state, write(id, 'x')).state, 600).state;
      state = run(state, { type: 'persistRes', seq: state.persistSeq - 1 }).state;
    }

    expect(state.role.type).toBe('leader');
    expect(state.durableSeq).toBeLessThan(state.persistSeq);
  });

  it('a node whose disk hangs does not stand for election, and sticks to nobody', () => {
    const voted = run(node(), from(n2, voteRequest(1))).state;

    const { state, outputs } = wait(voted, 5000);

    expect(state.role.type).toBe('follower');
    expect(messagesOf(outputs)).toEqual([]);
  });
});
