import { describe, expect, it } from 'vitest';
import { configurationOf } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import { adding } from '../unit/core/builders-membership.ts';

const n4 = { id: 'n4', storeId: 'n4' };

/** Three nodes with a log of three entries, n5, and n4, which n1 is asked to add as a voter. */
function joining(): BareCluster {
  const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'], joiners: ['n4', 'n5'] });
  cluster.elect('n1');
  cluster.write('n1', ['a', 'b']);
  cluster.settle();
  cluster.changeMembers('n1', [adding(n4)]);
  return cluster;
}

const votersSeenBy = (cluster: BareCluster, id: string) =>
  configurationOf(cluster.state(id)).voters.map((voter) => voter.id);

/** Milliseconds pass for the leader; the others answer. */
function pass(cluster: BareCluster, ms: number): void {
  cluster.settle();
  cluster.wait('n1', ms);
}

describe('thesis §4.2.1 Catching up new servers', () => {
  it('In order to avoid availability gaps, Raft introduces an additional phase before the configuration change, in which a new server joins the cluster as a non-voting member.', () => {
    const { learners, voters } = configurationOf(joining().state('n1'));

    expect(learners).toMatchObject([{ id: 'n4', willVote: true }]);
    expect(voters).toHaveLength(3);
  });

  it('The leader replicates log entries to it, but it is not yet counted towards majorities for voting or commitment purposes.', () => {
    const cluster = joining();
    cluster.settle();
    cluster.changeMembers('n1', [adding({ id: 'n5', storeId: 'n5' })]);
    cluster.settle();
    cluster.crash('n2');
    cluster.crash('n3');

    const written = cluster.write('n1', ['x']);
    cluster.settle();

    expect(['n1', 'n4', 'n5'].map((id) => cluster.state(id).log.lastIndex)).toEqual([6, 6, 6]); // Three of five.
    expect(cluster.state('n1').commitIndex).toBe(5);
    expect(cluster.answer(written)).toBeUndefined();
  });

  it('Once the new server has caught up with the rest of the cluster, the reconfiguration can proceed.', () => {
    const cluster = joining();

    pass(cluster, 1200);

    expect(votersSeenBy(cluster, 'n1')).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(votersSeenBy(cluster, 'n4')).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(cluster.node('n4').applied).toEqual(cluster.node('n1').applied);
  });

  it('Each round replicates all the log entries present in the leader’s log at the start of the round to the new server’s log. If the last round lasts less than an election timeout, then the leader adds the new server to the cluster.', () => {
    const cluster = joining();
    cluster.settle();
    cluster.cut('n1', 'n4'); // From now on it lags: each round begins with entries that it does not get.
    cluster.write('n1', ['x']);
    pass(cluster, 2000);
    const slow = votersSeenBy(cluster, 'n1');

    cluster.heal();
    pass(cluster, 1200);

    expect(slow).toEqual(['n1', 'n2', 'n3']);
    expect(votersSeenBy(cluster, 'n1')).toEqual(['n1', 'n2', 'n3', 'n4']);
  });

  it('The leader should also abort the change if the new server is unavailable or is so slow that it will never catch up.', () => {
    const cluster = joining();
    cluster.settle();
    cluster.crash('n4');
    cluster.write('n1', ['x']);
    pass(cluster, 2000);

    const promoted = cluster.changeMembers('n1', [{ type: 'promote', id: 'n4' }]);
    cluster.settle();

    expect(cluster.answer(promoted)).toMatchObject({
      type: 'refused',
      reason: { type: 'busy', detail: 'n4 has not caught up with the log yet' },
    });
    expect(votersSeenBy(cluster, 'n1')).toEqual(['n1', 'n2', 'n3']);
  });

  it('As a first step to catching up a new server, the leader must discover that the new server’s log is empty: followers can return the length of their logs, so that the leader need not try index after index.', () => {
    const cluster = joining();
    const append = cluster.oldest('n1', 'n4');
    if (append !== undefined) cluster.deliver(append);
    cluster.flush('n4');
    const refusal = cluster.oldest('n4', 'n1');
    if (refusal !== undefined) cluster.deliver(refusal);

    const probe = cluster.oldest('n1', 'n4');

    expect(append?.message).toMatchObject({ prevLogIndex: 3 });
    expect(refusal?.message).toMatchObject({ success: false, rejectedIndex: 3, hintIndex: 0 });
    expect(probe?.message).toMatchObject({ prevLogIndex: 0, batches: [] });
  });
});
