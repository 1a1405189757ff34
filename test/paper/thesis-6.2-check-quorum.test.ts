import { describe, expect, it } from 'vitest';
import { BareCluster } from '../../src/testing/bare-cluster.ts';

describe('thesis §6.2 Routing requests to the leader', () => {
  it('A leader in Raft steps down if an election timeout elapses without a successful round of heartbeats to a majority of its cluster.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] });
    cluster.elect('n1');
    for (const other of ['n3', 'n4', 'n5']) cluster.cut(other, 'n1');
    for (let passed = 0; passed < 1000; passed += 100) {
      cluster.tick('n1', 100);
      cluster.settle();
    }

    expect(cluster.state('n1').role.type).toBe('follower');
  });

  it('It leads on with a bare majority, though the others are gone.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] });
    cluster.elect('n1');
    for (const other of ['n4', 'n5']) cluster.cut(other, 'n1');
    for (let passed = 0; passed < 5000; passed += 100) {
      cluster.tick('n1', 100);
      cluster.settle();
    }

    expect(cluster.state('n1').role.type).toBe('leader');
  });

  it('This allows clients to retry their requests with another server.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    for (const other of ['n2', 'n3']) cluster.cut(other, 'n1');
    const written = cluster.write('n1', ['x']);
    const read = cluster.read('n1');

    cluster.tick('n1', 1000);

    expect(cluster.answer(written)).toEqual({ type: 'unknown' });
    expect(cluster.answer(read)).toMatchObject({ type: 'refused' });
    expect(cluster.answer(cluster.write('n1', ['y']))).toMatchObject({ type: 'notCommitted' });
  });
});
