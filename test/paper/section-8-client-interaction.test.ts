import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  appendEntries,
  candidate,
  flush,
  from,
  leader,
  n2,
  node,
  only,
  run,
  vote,
  write,
} from '../unit/core/builders.ts';

describe('§8 Client interaction', () => {
  it('If the client’s first choice is not the leader, that server will reject the client’s request and supply information about the most recent leader it has heard from.', () => {
    const { outputs } = run(node(), from(n2, appendEntries({ term: 1 })), write(1, 'x'), {
      type: 'read',
      id: 2,
    });

    expect(only(outputs, 'writeRes')).toMatchObject([
      { result: { reason: { type: 'notLeader', leaderId: 'n2' } } },
    ]);
    expect(only(outputs, 'readRes')).toMatchObject([
      { result: { reason: { type: 'notLeader', leaderId: 'n2' } } },
    ]);
  });

  it('Raft handles this by having each leader commit a blank no-op entry into the log at the start of its term.', () => {
    const { outputs } = run(flush(candidate({ terms: [1, 1] })).state, from(n2, vote(2)));

    expect(only(outputs, 'persistReq')).toMatchObject([
      { batches: [{ index: 3, term: 2, kind: 'noop', count: 1 }] },
    ]);
  });

  it('A leader must have the latest information on which entries are committed.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.write('n1', ['x']);
    cluster.settle();
    cluster.crash('n1');
    cluster.elect('n2');

    const read = cluster.read('n2');
    cluster.settle();

    expect(cluster.answer(read)).toEqual({ type: 'ok', payload: new TextEncoder().encode('3') });
  });

  it('A leader must check whether it has been deposed before processing a read-only request (its information may be stale if a more recent leader has been elected).', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    for (const other of ['n2', 'n3']) {
      cluster.cut('n1', other);
      cluster.cut(other, 'n1');
    }
    cluster.tick('n2', 500);
    cluster.tick('n3', 500);
    cluster.timeOut('n2');
    cluster.settle();
    cluster.write('n2', ['new']);
    cluster.settle();

    const read = cluster.read('n1');
    cluster.settle();
    const whileAlone = cluster.answer(read);
    cluster.heal();
    cluster.tick('n1', 100);
    cluster.settle();

    expect(cluster.state('n2').role.type).toBe('leader');
    expect(whileAlone).toBeUndefined();
    expect(cluster.answer(read)).toMatchObject({ type: 'refused', reason: { type: 'notLeader' } });
  });

  it('Raft handles this by having the leader exchange heartbeat messages with a majority of the cluster before responding to read-only requests.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] });
    cluster.elect('n1');
    const read = cluster.read('n1');

    const heartbeats = cluster.inFlight.filter(({ message }) => message.type === 'appendEntries');
    for (const envelope of heartbeats.slice(0, 2)) cluster.deliver(envelope);
    const [first, second] = cluster.inFlight.filter(({ to }) => to.id === 'n1');
    if (first !== undefined) cluster.deliver(first);
    cluster.apply('n1');
    const afterOne = cluster.answer(read);
    if (second !== undefined) cluster.deliver(second);
    cluster.apply('n1');

    expect(heartbeats).toHaveLength(4);
    expect(afterOne).toBeUndefined();
    expect(cluster.answer(read)).toMatchObject({ type: 'ok' });
  });

  it('Read-only operations can be handled without writing anything into the log.', () => {
    const before = flush(leader()).state;

    const { state, outputs } = step(before, { type: 'read', id: 1 });

    expect(state.log).toBe(before.log);
    expect(only(outputs, 'persistReq')).toEqual([]);
  });
});
