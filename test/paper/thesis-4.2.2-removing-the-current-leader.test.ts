import { describe, expect, it } from 'vitest';
import { configurationOf } from '../../src/core/index.ts';
import { BareCluster, type Envelope } from '../../src/testing/bare-cluster.ts';
import { ack, establishedLeader, flush, from, n2, n3, preVote, run, vote } from '../unit/core/builders.ts';
import { change } from '../unit/core/builders-membership.ts';

/** n1 leads, and is removed: its own removal, without the joint configuration before it, is in its log. */
function leaving() {
  const answered = run(establishedLeader(), from(n3, ack(1, 1))).state; // n3 as well as n2.
  const asked = flush(run(answered, change(1, { type: 'remove', id: 'n1' })).state).state;
  return flush(run(asked, from(n2, ack(1, 2)), from(n3, ack(1, 2))).state).state;
}

describe('thesis §4.2.2 Removing the current leader', () => {
  it('A leader that is removed from the configuration steps down once the C-new entry is committed.', () => {
    const committed = run(leaving(), from(n2, ack(1, 3)), from(n3, ack(1, 3))).state;
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.settle();

    const removed = cluster.changeMembers('n1', [{ type: 'remove', id: 'n1' }]);
    cluster.settle();
    cluster.wait('n1', 600);

    expect(committed.role).toMatchObject({ type: 'leader', isLeaving: true }); // Only until a successor stands.
    expect(cluster.answer(removed)).toEqual({ type: 'ok' });
    expect(cluster.state('n1').role.type).toBe('follower');
    expect([...cluster.nodes.values()].filter(({ state }) => state.role.type === 'leader')).toHaveLength(1);
  });

  it('The leader waits until C-new is committed before stepping down.', () => {
    expect(leaving().role).toMatchObject({ type: 'leader', isLeaving: false });
    expect(run(leaving(), from(n2, ack(1, 3))).state.role).toMatchObject({
      type: 'leader',
      isLeaving: false,
    });
  });

  it('There will be a period of time (while it is committing C-new) when a leader can manage a cluster that does not include itself; it replicates log entries but does not count itself in majorities.', () => {
    const state = leaving(); // Its own disk holds the entry.
    const written = run(state, from(n2, ack(1, 3)));

    expect(configurationOf(state).voters.map(({ id }) => id)).toEqual(['n2', 'n3']);
    expect(written.state.commitIndex).toBe(2); // n1 and n2 hold it: of n2 and n3 that is one.
    expect(run(written.state, from(n3, ack(1, 3))).state.commitIndex).toBe(3);
  });

  it('A server that is not part of its own latest configuration should still start new elections, as it might still be needed until the C-new entry is committed.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2'] });
    const deliver = (from: string, to: string) => cluster.deliver(cluster.oldest(from, to) as Envelope);
    cluster.elect('n1');
    cluster.changeMembers('n1', [{ type: 'remove', id: 'n1' }]);
    cluster.flush('n1');
    deliver('n1', 'n2');
    cluster.flush('n2');
    deliver('n2', 'n1'); // The joint configuration is committed, and C-new is appended (Figure 4.6).
    cluster.flush('n1');
    cluster.crash('n1');
    cluster.restart('n1');
    const latest = ['n1', 'n2'].map((id) => cluster.state(id).configurations.at(-1)?.index);
    const voters = votersSeenBy(cluster, 'n1');

    cluster.elect('n1');
    cluster.wait('n1', 600);

    expect(latest).toEqual([3, 2]);
    expect(voters).toEqual(['n2']);
    expect(cluster.state('n2').configurations.at(-1)).toMatchObject({
      index: 3,
      configuration: { votersOutgoing: [] },
    });
    expect(cluster.state('n2').commitIndex).toBeGreaterThanOrEqual(3);
    expect(cluster.state('n1').role.type).toBe('follower');
  });

  it('It does not count its own vote in elections unless it is part of its latest configuration.', () => {
    const deposed = flush(run(leaving(), from(n2, ack(9, 0))).state).state;
    const asking = run(deposed, { type: 'campaign', id: 2 }).state;

    const standing = run(asking, from(n2, preVote(10)), from(n3, preVote(10))).state;
    const one = run(flush(standing).state, from(n2, vote(10))).state;

    expect(asking.role).toMatchObject({ type: 'preCandidate', votes: [] });
    expect(one.role).toMatchObject({ type: 'candidate', votes: [n2] });
    expect(run(one, from(n3, vote(10))).state.role.type).toBe('leader');
  });
});

const votersSeenBy = (cluster: BareCluster, id: string) =>
  configurationOf(cluster.state(id)).voters.map((voter) => voter.id);
