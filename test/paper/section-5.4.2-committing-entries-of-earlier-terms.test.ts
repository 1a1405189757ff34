import { describe, expect, it } from 'vitest';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import { ack, diskOf, flush, from, leader, n2, n3, run } from '../unit/core/builders.ts';

/**
 * Figure 8 (c): s5 led term 3 and crashed with an entry at index 2; s1 leads term 4, and the entry of term 2 has
 * reached all others. Of s1's own entry at index 3, only s1 knows.
 */
function figure8c(): BareCluster {
  const s5 = { id: 's5', storeId: 's5' };
  const cluster = new BareCluster({
    nodes: ['s1', 's2', 's3', 's4', 's5'],
    config: { appendBytesMax: 1 },
    disks: {
      s1: diskOf({ terms: [1, 2], currentTerm: 3 }),
      s2: diskOf({ terms: [1, 2], currentTerm: 3 }),
      s3: diskOf({ terms: [1], currentTerm: 3, votedFor: s5 }),
      s4: diskOf({ terms: [1], currentTerm: 3, votedFor: s5 }),
      s5: diskOf({ terms: [1, 3], votedFor: s5 }),
    },
  });
  cluster.crash('s5');
  cluster.timeOut('s1');
  settleWithout(cluster, 3);
  cluster.tick('s1', 100);
  settleWithout(cluster, 3);
  return cluster;
}

/** Everything settles, but the entry at this index is lost on every way. */
function settleWithout(cluster: BareCluster, lostIndex: number): void {
  for (let rounds = 0; rounds < 200; rounds++) {
    const [envelope] = cluster.inFlight;
    if (envelope !== undefined) {
      const { message } = envelope;
      const batches = message.type === 'appendEntries' ? message.batches : [];
      if (batches.some((batch) => batch.index === lostIndex)) cluster.drop(envelope);
      else cluster.deliver(envelope);
    }
    for (const [id, { isUp }] of cluster.nodes) {
      if (!isUp) continue;
      cluster.flush(id);
      cluster.readLog(id);
    }
  }
}

const logOn = (cluster: BareCluster, id: string) =>
  cluster.node(id).durable.batches.map((batch) => batch.term);

describe('§5.4.2 Committing entries from previous terms', () => {
  it('Raft never commits log entries from previous terms by counting replicas.', () => {
    const elected = flush(leader({ terms: [1, 1, 1] })).state;

    const { state } = run(elected, from(n2, ack(2, 3)), from(n3, ack(2, 3)));

    expect(state.commitIndex).toBe(0);
  });

  it('Only log entries from the leader’s current term are committed by counting replicas.', () => {
    const elected = flush(leader({ terms: [1, 1, 1] })).state;

    expect(run(elected, from(n2, ack(2, 4))).state.commitIndex).toBe(4);
  });

  it('Once an entry from the current term has been committed in this way, then all prior entries are committed indirectly because of the Log Matching Property.', () => {
    const cluster = new BareCluster({
      nodes: ['n1', 'n2', 'n3'],
      disks: { n1: diskOf({ terms: [1, 1, 2] }), n2: diskOf({ terms: [1] }), n3: diskOf({ terms: [1] }) },
    });

    cluster.elect('n1');

    expect(cluster.commitIndexes()).toEqual({ n1: 4, n2: 4, n3: 4 });
    expect(logOn(cluster, 'n3')).toEqual([1, 1, 2, 3]);
  });

  it('Figure 8 (c): the log entry from term 2 has been replicated on a majority of the servers, but it is not committed.', () => {
    const cluster = figure8c();

    expect(cluster.state('s1')).toMatchObject({ currentTerm: 4, role: { type: 'leader' }, commitIndex: 0 });
    expect(['s1', 's2', 's3'].map((id) => logOn(cluster, id)[1])).toEqual([2, 2, 2]);
    expect(
      [...cluster.nodes.values()].filter(({ durable }) => durable.batches.some((batch) => batch.term === 4)),
    ).toHaveLength(1);
  });

  it('Figure 8 (d): if S1 crashes, S5 could be elected leader and overwrite the entry with its own entry from term 3.', () => {
    const cluster = figure8c();
    cluster.crash('s1');
    cluster.restart('s5');

    cluster.elect('s5');

    expect(['s2', 's3', 's4', 's5'].map((id) => logOn(cluster, id)[1])).toEqual([3, 3, 3, 3]);
    expect(cluster.commitIndexes()['s5']).toBe(3);
  });

  it('Figure 8 (e): if S1 replicates an entry from its current term on a majority of the servers before crashing, then this entry is committed (S5 cannot win an election).', () => {
    const cluster = figure8c();
    cluster.tick('s1', 100);
    cluster.settle();
    const committed = cluster.state('s1').commitIndex;
    cluster.crash('s1');
    cluster.restart('s5');

    expect(committed).toBe(3);
    expect(() => cluster.elect('s5')).toThrow('s5 was not elected');
    cluster.elect('s2');
    expect(['s2', 's3', 's4', 's5'].map((id) => logOn(cluster, id).slice(0, 3))).toEqual(
      Array.from({ length: 4 }, () => [1, 2, 4]),
    );
  });
});
