import { describe, expect, it } from 'vitest';
import { configurationOf } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import { ack, establishedLeader, flush, from, n2, n3, run } from '../unit/core/builders.ts';
import { adding, change } from '../unit/core/builders-membership.ts';

describe('§6 Cluster membership changes', () => {
  const answered = run(establishedLeader(), from(n3, ack(1, 1))).state; // n3 as well as n2.
  const removing = flush(run(answered, change(1, { type: 'remove', id: 'n1' })).state).state;

  it('Once a given server adds the new configuration entry to its log, it uses that configuration for all future decisions.', () => {
    expect(configurationOf(removing).votersOutgoing.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3']);
    expect(removing.commitIndex).toBe(1);
  });

  it('Agreement requires separate majorities from both the old and new configurations.', () => {
    const one = run(removing, from(n2, ack(1, 2))).state;

    expect(one.commitIndex).toBe(1); // n1 and n2 of the old three, but n2 alone of the new two.
    expect(run(one, from(n3, ack(1, 2))).state.commitIndex).toBe(2);
  });

  it('Once C-old,new has been committed, it is now safe for the leader to create a log entry describing C-new.', () => {
    const { state } = run(removing, from(n2, ack(1, 2)), from(n3, ack(1, 2)));

    expect(configurationOf(state)).toMatchObject({
      voters: [{ id: 'n2' }, { id: 'n3' }],
      votersOutgoing: [],
    });
    expect(state.log.lastIndex).toBe(3);
  });

  it('The leader steps down (returns to follower state) once it has committed the C-new log entry.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');

    const removed = cluster.changeMembers('n1', [{ type: 'remove', id: 'n1' }]);
    cluster.settle();
    cluster.tick('n1', 600); // Nobody tells it of its successor: it waits for as long as a transfer may take.

    expect(cluster.answer(removed)).toEqual({ type: 'ok' });
    expect(cluster.state('n1').role.type).toBe('follower');
  });

  it('New servers join the cluster as non-voting members.', () => {
    const { state } = run(establishedLeader(), change(1, adding({ id: 'n4', storeId: 'n4' })));

    expect(configurationOf(state)).toMatchObject({
      learners: [{ id: 'n4', willVote: true }],
      votersOutgoing: [],
    });
  });
});
