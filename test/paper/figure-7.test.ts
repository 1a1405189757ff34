import { describe, expect, it } from 'vitest';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import { diskOf } from '../unit/core/builders.ts';

const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

const followers: readonly [name: string, what: string, terms: readonly number[]][] = [
  ['a', 'missing an entry', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
  ['b', 'missing many entries', [1, 1, 1, 4]],
  ['c', 'with an extra entry of the last term', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
  ['d', 'with extra entries of a term that the leader never saw', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
  ['e', 'missing entries, with others instead', [1, 1, 1, 4, 4, 4, 4]],
  ['f', 'that was leader for terms 2 and 3 and committed nothing', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
];

const termsOf = (cluster: BareCluster, id: string) =>
  cluster.node(id).durable.batches.map((batch) => batch.term);

describe('Figure 7: when the leader at the top comes to power, any of scenarios (a–f) could occur in follower logs', () => {
  it.each(followers)('the log of follower (%s), %s, becomes the leader’s', (name, _what, terms) => {
    const cluster = new BareCluster({
      nodes: ['leader', name, 'other'],
      disks: {
        leader: diskOf({ terms: leaderLog, currentTerm: 7 }),
        [name]: diskOf({ terms }),
        other: diskOf({ terms: leaderLog }),
      },
    });

    cluster.elect('leader');

    expect(cluster.state('leader').currentTerm).toBe(8);
    expect(termsOf(cluster, name)).toEqual([...leaderLog, 8]);
    expect(cluster.node(name).applied).toEqual(cluster.node('leader').applied);
    expect(cluster.commitIndexes()).toEqual({ leader: 11, [name]: 11, other: 11 });
  });

  it.each(followers)(
    'what follower (%s), %s, shares with the leader is not written again',
    (name, _what, terms) => {
      const shared = leaderLog.findIndex((term, at) => term !== terms[at]);
      const first = (shared < 0 ? leaderLog.length : shared) + 1;
      const written: number[] = [];
      const cluster = new BareCluster({
        nodes: ['leader', name, 'other'],
        disks: {
          leader: diskOf({ terms: leaderLog, currentTerm: 7 }),
          [name]: diskOf({ terms }),
          other: diskOf({ terms: leaderLog }),
        },
        onStep: ({ node, outputs }) => {
          for (const output of outputs) {
            if (output.type !== 'persistReq' || node.self.id !== name) continue;
            written.push(...output.batches.map((batch) => batch.index));
          }
        },
      });

      cluster.elect('leader');

      expect(written).toEqual(Array.from({ length: 12 - first }, (_, at) => first + at));
    },
  );
});
