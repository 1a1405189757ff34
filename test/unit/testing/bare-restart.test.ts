import { describe, expect, it } from 'vitest';
import { type Index, index, lastOf } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { foundLogOf } from '../../../src/streams/found-log.ts';
import { BareCluster } from '../../../src/testing/bare-cluster.ts';
import { bareSnapshotEntries } from '../../../src/testing/bare-node.ts';
import { logIndexOf } from '../../../src/testing/disk.ts';

/** A cluster that has written so many batches of three entries, and that a snapshot has been taken of. */
function written(batches: number, isMachineDurable: boolean): BareCluster {
  const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'], isMachineDurable });
  cluster.elect('n1');
  writeOn(cluster, batches);
  cluster.compact('n1', true);
  cluster.settle();
  return cluster;
}

function writeOn(cluster: BareCluster, batches: number): void {
  for (let batch = 0; batch < batches; batch++) {
    cluster.write('n1', ['a', 'b', 'c']);
    cluster.settle();
  }
}

function startAgain(cluster: BareCluster): void {
  cluster.crash('n1');
  cluster.restart('n1');
}

describe.each([
  { keeps: 'memory', isMachineDurable: false },
  { keeps: 'store', isMachineDurable: true },
] as const)('a bare node that starts again, with a machine in $keeps', ({ keeps, isMachineDurable }) => {
  it('drops with its next snapshot the log before the last one', () => {
    const cluster = written(10, isMachineDurable);
    expect(cluster.state('n1').log.startIndex).toBe(0);
    startAgain(cluster);
    const { snapshotIndex } = cluster.state('n1');
    cluster.elect('n1');
    writeOn(cluster, 1);

    cluster.compact('n1', true);
    cluster.settle();

    expect(snapshotIndex).toBeGreaterThan(0);
    expect(cluster.state('n1').log.startIndex).toBe(snapshotIndex);
    expect(cluster.faults).toEqual([]);
  });

  it.each([0, 1, 5, 9, 20])('takes that to be where the runtime does, after %i batches', async (batches) => {
    const cluster = written(batches, isMachineDurable);
    writeOn(cluster, 2);
    startAgain(cluster);
    const { durable, appliedIndex } = cluster.node('n1');
    const readLog = async ({ from }: { readonly from: Index }) =>
      durable.batches.filter((batch) => batch.index <= from && from <= lastOf(batch));
    const machineStore = { ...memoryStorage().machineStore, appliedIndex: index(durable.appliedIndex) };

    const about = { log: logIndexOf(durable), appliedIndex, keeps };
    const interval = { snapshotEntries: bareSnapshotEntries, snapshotBytes: Number.MAX_SAFE_INTEGER };
    const { snapshotIndex } = await foundLogOf({ readLog, machineStore }, about, interval);

    expect(cluster.state('n1').snapshotIndex).toBe(snapshotIndex);
  });
});
