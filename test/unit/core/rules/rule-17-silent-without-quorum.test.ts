import { describe, expect, it } from 'vitest';
import {
  ack,
  establishedLeader,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  only,
  run,
  wait,
  write,
} from '../builders.ts';

/** A leader that has heard nobody for long enough to know. */
function abandoned() {
  return wait(establishedLeader(), 1000);
}

describe('rule 17: a leader that lost its quorum goes silent', () => {
  it('steps down within two of the shortest election timeouts', () => {
    expect(abandoned().state.role).toMatchObject({ type: 'follower', leader: null });
    expect(abandoned().state.currentTerm).toBe(1);
  });

  it('gives those who elected it one look more to answer: their disks may be slow with its first entry', () => {
    const elected = flush(leader()).state;

    expect(wait(elected, 975).state.role.type).toBe('leader');
    expect(wait(elected, 1000).state.role.type).toBe('follower');
  });

  it('leads on while a majority answers', () => {
    let state = establishedLeader();
    for (let passed = 0; passed < 3000; passed += 100)
      state = run(wait(state, 100).state, from(n2, ack(1, 1))).state;

    expect(state.role.type).toBe('leader');
  });

  it('sends nothing more, and asks for nothing on anybody’s behalf', () => {
    const { state } = abandoned();

    const { outputs } = run(state, write(1, 'x'), { type: 'read', id: 2 });
    const later = wait(state, state.electionTimeoutMs - state.electionElapsedMs - 25);

    expect([...messagesOf(outputs), ...messagesOf(later.outputs)]).toEqual([]);
    expect(only(outputs, 'writeRes')).toMatchObject([{ result: { type: 'notCommitted' } }]);
    expect(only(outputs, 'readRes')).toMatchObject([{ result: { type: 'refused' } }]);
  });
});
