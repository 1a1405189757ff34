import { describe, expect, it } from 'vitest';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
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
  write,
} from '../unit/core/builders.ts';

describe('thesis §6.4 Processing read-only queries more efficiently', () => {
  it('If the leader has not yet marked an entry from its current term committed, it waits until it has done so.', () => {
    const waiting = run(flush(leader({ terms: [1] })).state, { type: 'read', id: 1 });

    const ready = run(waiting.state, from(n2, ack(2, 2)));

    expect(messagesOf(waiting.outputs)).toEqual([]);
    expect(
      messagesOf(ready.outputs).filter(
        ({ message }) => message.type === 'appendEntries' && message.round === 1,
      ),
    ).toHaveLength(2);
  });

  it('The leader saves its current commit index in a local variable readIndex.', () => {
    const asked = run(establishedLeader(), { type: 'read', id: 1 }, write(2, 'x')).state;
    const moved = run(flush(asked).state, from(n2, ack(1, 2, 0))).state;

    const { outputs } = run(moved, from(n2, ack(1, 2, 1)));

    expect(moved.commitIndex).toBe(2);
    expect(only(outputs, 'readStateMachineReq')).toMatchObject([{ id: 1, index: 1 }]);
  });

  it('The leader issues a new round of heartbeats and waits for their acknowledgments from a majority of the cluster.', () => {
    const asked = run(establishedLeader(), { type: 'read', id: 1 });

    expect(messagesOf(asked.outputs).map(({ to }) => to)).toEqual(['n2', 'n3']);
    expect(only(run(asked.state, from(n3, ack(1, 1, 1))).outputs, 'readStateMachineReq')).toHaveLength(1);
  });

  it('The leader waits for its state machine to advance at least as far as the readIndex.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.write('n1', ['a', 'b', 'c']);
    cluster.settle();

    const read = cluster.read('n1');
    cluster.settle();

    expect(cluster.answer(read)).toEqual({ type: 'ok', payload: new TextEncoder().encode('4') });
  });

  it('To amortize this cost, it can use one round of heartbeats for any number of read-only queries that it has accumulated.', () => {
    const reads = Array.from({ length: 50 }, (_, id) => ({ type: 'read', id }) as const);
    const { state, outputs } = run(establishedLeader(), ...reads);

    const confirmed = run(state, from(n2, ack(1, 1, 1)));
    const rest = run(confirmed.state, from(n3, ack(1, 1, 2)));

    expect(messagesOf(outputs)).toHaveLength(2);
    expect(only(confirmed.outputs, 'readStateMachineReq')).toHaveLength(1);
    expect(only(rest.outputs, 'readStateMachineReq')).toHaveLength(49);
  });

  it('The only node of a cluster needs nobody’s acknowledgement.', () => {
    const alone = flush(run(node({ configuration: votersOf(n1) }), { type: 'campaign', id: 0 }).state).state;

    const { outputs } = run(flush(alone).state, { type: 'read', id: 1 });

    expect(only(outputs, 'readStateMachineReq')).toMatchObject([{ id: 1, index: 1 }]);
  });
});
