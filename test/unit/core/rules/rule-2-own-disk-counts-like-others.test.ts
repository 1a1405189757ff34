import { describe, expect, it } from 'vitest';
import {
  ack,
  candidate,
  flush,
  from,
  leader,
  n1,
  n2,
  n3,
  node,
  only,
  run,
  vote,
  votersOf,
  write,
} from '../builders.ts';

describe('rule 2: own vote and own append count only when they are on disk', () => {
  it('a candidate with one more vote does not lead before its own is flushed', () => {
    const standing = run(candidate(), from(n2, vote(1))).state;

    expect(standing.role).toMatchObject({ type: 'candidate', votes: [n2] });
    expect(flush(standing).state.role.type).toBe('leader');
  });

  it('the only node of a cluster does not lead before its vote is flushed', () => {
    const alone = node({ configuration: votersOf(n1) });

    const standing = run(alone, { type: 'campaign', id: 1 }).state;

    expect(standing.role.type).toBe('candidate');
    expect(flush(standing).state.role.type).toBe('leader');
  });

  it('a leader’s own copy is no part of the majority before it is flushed', () => {
    const waiting = run(leader(), from(n2, ack(1, 1))).state;

    expect(waiting.commitIndex).toBe(0);
    expect(flush(waiting).state.commitIndex).toBe(1);
  });

  it('a majority of followers commits without the leader’s disk (thesis §10.2.1)', () => {
    const { state } = run(leader(), from(n2, ack(1, 1)), from(n3, ack(1, 1)));

    expect(state.commitIndex).toBe(1);
    expect(state.durableSeq).toBeLessThan(state.persistSeq);
  });

  it('the only node of a cluster commits when its disk has the entry', () => {
    const alone = flush(run(node({ configuration: votersOf(n1) }), { type: 'campaign', id: 1 }).state).state;
    const written = run(flush(alone).state, write(2, 'x'));

    expect(only(written.outputs, 'applyReq')).toEqual([]);
    expect(only(flush(written.state).outputs, 'applyReq')).toMatchObject([{ through: 2 }]);
  });
});
