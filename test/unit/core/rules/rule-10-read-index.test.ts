import { describe, expect, it } from 'vitest';
import { type Input, index, type State, step } from '../../../../src/core/index.ts';
import {
  ack,
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
  run,
  votersOf,
  wait,
  write,
} from '../builders.ts';

const read = (id: number): Input => ({ type: 'read', id });

/** The round that a leader waits for. */
function roundOf(state: State): number {
  return state.role.type === 'leader' ? state.role.round : -1;
}

describe('rule 10: a read is answered by a leader that has just shown that it leads', () => {
  it('waits until an entry of the leader’s own term is committed (§8)', () => {
    const elected = flush(run(leader({ terms: [1, 1] }), read(1)).state).state;

    const early = run(elected, from(n2, ack(2, 2)), from(n3, ack(2, 2)));
    const late = run(early.state, from(n2, ack(2, 3)));

    expect(roundOf(early.state)).toBe(0);
    expect(roundOf(late.state)).toBe(1);
    expect(messagesOf(late.outputs)).toMatchObject([
      { message: { round: 0 } },
      { message: { round: 1 } },
      { message: { round: 1 } },
    ]);
  });

  it('waits for a majority to answer a round that began after it came', () => {
    const asked = run(establishedLeader(), read(1)).state;

    const before = run(asked, from(n2, ack(1, 1, 0)), from(n3, ack(1, 1, 0)));
    const after = run(before.state, from(n3, ack(1, 1, 1)));

    expect(only(before.outputs, 'readStateMachineReq')).toEqual([]);
    expect(only(after.outputs, 'readStateMachineReq')).toEqual([
      { type: 'readStateMachineReq', id: 1, index: 1 },
    ]);
  });

  it('a read that comes while a round is under way waits for the next, with its own index', () => {
    const asked = run(establishedLeader(), read(1), write(2, 'x'), read(3)).state;
    const committed = run(flush(asked).state, from(n2, ack(1, 2, 0)));

    const first = run(committed.state, from(n2, ack(1, 2, 1)));
    const second = run(first.state, from(n2, ack(1, 2, 2)));

    expect(only(first.outputs, 'readStateMachineReq')).toMatchObject([{ id: 1, index: 1 }]);
    expect(only(second.outputs, 'readStateMachineReq')).toMatchObject([{ id: 3, index: 2 }]);
  });

  it('all reads that waited share one round', () => {
    const asked = run(establishedLeader(), read(1), read(2), read(3), read(4)).state;

    const { state } = run(asked, from(n2, ack(1, 1, 1)));
    const { outputs } = run(state, from(n2, ack(1, 1, 2)));

    expect(only(outputs, 'readStateMachineReq').map(({ id }) => id)).toEqual([2, 3, 4]);
  });

  it('an answer to an earlier read under the same id confirms nothing', () => {
    const once = run(establishedLeader(), read(7), from(n2, ack(1, 1, 1)), {
      type: 'readStateMachineRes',
      id: 7,
    });
    const again = run(once.state, read(7));

    const { outputs } = run(again.state, from(n2, ack(1, 1, 1)), from(n3, ack(1, 1, 1)));

    expect(only(once.outputs, 'readRes')).toHaveLength(1);
    expect(only([...again.outputs, ...outputs], 'readStateMachineReq')).toEqual([]);
  });

  it('a round that no message of this leader ever carried confirms nothing', () => {
    const { outputs } = run(establishedLeader(), read(1), from(n2, ack(1, 1, 99)));

    expect(only(outputs, 'readStateMachineReq')).toEqual([]);
  });

  it('a lost round is asked for again by heartbeats', () => {
    const asked = run(establishedLeader(), read(1)).state;

    const { outputs } = wait(asked, 100);

    expect(messagesOf(outputs)).toMatchObject([{ message: { round: 1 } }, { message: { round: 1 } }]);
  });

  it('the query comes after the applyReq that reaches its index', () => {
    const { outputs } = run(
      flush(run(leader(), read(1)).state).state,
      from(n2, ack(1, 1, 0)),
      from(n2, ack(1, 1, 1)),
    );

    const types = outputs.filter(({ type }) => type !== 'message').map(({ type }) => type);

    expect(types).toEqual(['applyReq', 'readStateMachineReq']);
  });

  it('so it does in a cluster of one, where both come in one step', () => {
    const alone = flush(run(node({ configuration: votersOf(n1) }), { type: 'campaign', id: 1 }).state).state;

    const { outputs } = flush(run(alone, read(2)).state);

    expect(outputs.map(({ type }) => type)).toEqual(['applyReq', 'readStateMachineReq']);
  });

  it('a read that waits is refused when the leader steps down, and may be asked again', () => {
    const asked = run(establishedLeader(), read(1)).state;

    const { outputs } = step(asked, from(n2, ack(9, 0)));

    expect(only(outputs, 'readRes')).toMatchObject([
      { id: 1, result: { type: 'refused', reason: { type: 'notLeader' } } },
    ]);
  });

  it('a read that is confirmed is answered though the leader steps down', () => {
    const confirmed = run(establishedLeader(), read(1), from(n2, ack(1, 1, 1)), from(n2, ack(9, 0))).state;

    const { outputs } = step(confirmed, { type: 'readStateMachineRes', id: 1, payload: new Uint8Array([5]) });

    expect(only(outputs, 'readRes')).toEqual([
      { type: 'readRes', id: 1, result: { type: 'ok', payload: new Uint8Array([5]) } },
    ]);
    expect(confirmed.commitIndex).toBe(index(1));
  });
});
