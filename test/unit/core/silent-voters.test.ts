import { describe, expect, it } from 'vitest';
import type { MemberChange } from '../../../src/core/index.ts';
import { BareCluster } from '../../../src/testing/bare-cluster.ts';

/** Three voters that have worked together for a while; then `silent` dies, and the leader, n1, has seen that. */
function withSilent(silent: string): BareCluster {
  const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
  cluster.elect('n1');
  cluster.wait('n1', 1000);
  cluster.crash(silent);
  cluster.wait('n1', 2000);
  return cluster;
}

describe('a change of members after which the voters that answer are no majority', () => {
  it.each<readonly MemberChange[]>([[{ type: 'remove', id: 'n3' }], [{ type: 'demote', id: 'n3' }]])(
    'is refused, and the cluster goes on: %j',
    (change) => {
      const cluster = withSilent('n2');

      const asked = cluster.changeMembers('n1', [change]);
      cluster.settle();
      cluster.wait('n1', 2000);
      const written = cluster.write('n1', ['x']);
      cluster.settle();

      expect(cluster.answer(asked)).toMatchObject({
        type: 'refused',
        reason: { type: 'busy', detail: expect.stringContaining('without n2, silent at the moment') },
      });
      expect(cluster.answer(written)).toMatchObject({ type: 'committed' });
    },
  );

  it('is refused among five by a majority, not by one', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] });
    cluster.elect('n1');
    cluster.wait('n1', 1000);
    for (const id of ['n4', 'n5']) cluster.crash(id);
    cluster.wait('n1', 2000);

    const live = cluster.changeMembers('n1', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();
    const dead = cluster.changeMembers('n1', [{ type: 'remove', id: 'n4' }]);
    cluster.settle();

    expect(cluster.answer(live)).toMatchObject({ type: 'refused', reason: { type: 'busy' } });
    expect(cluster.answer(dead)).toEqual({ type: 'ok' });
  });

  it('is carried out once they are back', () => {
    const cluster = withSilent('n2');
    cluster.restart('n2');
    cluster.wait('n1', 1000);

    const asked = cluster.changeMembers('n1', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();

    expect(cluster.answer(asked)).toEqual({ type: 'ok' });
  });
});

describe('a change of members that takes a silent voter away', () => {
  it('is carried out', () => {
    const cluster = withSilent('n2');

    const asked = cluster.changeMembers('n1', [{ type: 'remove', id: 'n2' }]);
    cluster.settle();

    expect(cluster.answer(asked)).toEqual({ type: 'ok' });
  });

  it('is carried out just when CheckQuorum has looked, and nobody can have answered since', () => {
    const cluster = withSilent('n2');
    const elapsed = () => {
      const { role } = cluster.state('n1');
      return role.type === 'leader' ? role.quorumElapsedMs : Number.NaN;
    };
    while (elapsed() !== 0) {
      cluster.tick('n1');
      if (elapsed() !== 0) cluster.settle();
    }

    const asked = cluster.changeMembers('n1', [{ type: 'remove', id: 'n2' }]);
    cluster.settle();

    expect(cluster.answer(asked)).toEqual({ type: 'ok' });
  });
});
