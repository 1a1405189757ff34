import type { Peer } from '../core/index.ts';
import type { BareCluster, BareStep } from './bare-cluster.ts';
import { batchAt, type Disk, startOf } from './disk.ts';
import { DiskHonesty } from './disk-honesty.ts';

/** All disks that there are, or ever were. */
type Everybody = Pick<BareCluster, 'nodes' | 'wiped'>;

const honesty = new DiskHonesty<Disk>({
  hardStateOf: ({ hardState }) => hardState,
  startOf,
  termOn: (disk, index) => batchAt(disk, index)?.term,
});

/** {@link DiskHonesty} of a step of a bare cluster: of what the node sends, and of what a leader commits. */
export function checkHonesty({ node, before, outputs }: BareStep, cluster: Everybody): void {
  const { state, durable: disk } = node;
  for (const output of outputs) {
    if (output.type === 'message') honesty.checkSent(output.message, output.to, { state, disk });
  }
  const hasCommitted = state.role.type === 'leader' && state.commitIndex > before.commitIndex;
  if (!hasCommitted) return;
  const everybody = [...cluster.nodes.values(), ...cluster.wiped];
  const nodeOf = ({ storeId }: Peer) => everybody.find(({ self }) => self.storeId === storeId);
  honesty.checkMajority(state, (voter) => nodeOf(voter)?.durable);
}
