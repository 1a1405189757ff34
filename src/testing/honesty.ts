import { type Message, type Peer, type State, termAt } from '../core/index.ts';
import type { BareCluster, BareStep } from './bare-cluster.ts';
import type { BareNode } from './bare-node.ts';
import { batchAt, startOf } from './disk.ts';
import { expectThat } from './violation.ts';

/** All disks that there are, or ever were. */
type Everybody = Pick<BareCluster, 'nodes' | 'wiped'>;

/**
 * Looks behind what a node says at what its disk holds: a vote before it is asked for or given, entries before
 * they are acknowledged, a committed entry on a majority of disks (rules 1 and 2). Throws an
 * `InvariantViolation` if a power cut could make a liar of it.
 */
export function checkHonesty({ node, before, outputs }: BareStep, cluster: Everybody): void {
  for (const output of outputs) {
    if (output.type !== 'message') continue;
    const isHonest = isOnDisk(node, output.to, output.message);
    const { type, term } = output.message;
    expectThat(
      isHonest,
      () => `${node.self.id} sends a ${type} of term ${term} that its disk does not bear out`,
    );
  }
  const hasCommitted = node.state.role.type === 'leader' && node.state.commitIndex > before.commitIndex;
  if (hasCommitted) checkMajority(node.state, [...cluster.nodes.values(), ...cluster.wiped]);
}

function isOnDisk(node: BareNode, to: Peer, message: Message): boolean {
  const { currentTerm, votedFor } = node.durable.hardState;
  const isTermDurable = currentTerm === message.term;
  switch (message.type) {
    case 'requestVote':
      return isTermDurable && votedFor?.storeId === node.self.storeId;
    case 'requestVoteReply':
      return !message.voteGranted || (isTermDurable && votedFor?.storeId === to.storeId);
    case 'appendEntriesReply':
      if (!message.success) return true;
      return (
        isTermDurable &&
        (message.matchIndex === 0 ||
          message.matchIndex <= startOf(node.durable) ||
          batchAt(node.durable, message.matchIndex)?.term === termAt(node.state.log, message.matchIndex))
      );
    default:
      return true; // Promises nothing.
  }
}

/** An entry of the leader's own term, on a majority of disks (§5.4.2). */
function checkMajority(state: State, nodes: readonly BareNode[]): void {
  const { self, commitIndex, currentTerm, log, configurations } = state;
  const term = termAt(log, commitIndex);
  expectThat(
    term === currentTerm,
    () => `${self.id} commits ${commitIndex}, an entry of term ${term}, by counting`,
  );
  const holds = (voter: Peer) =>
    nodes.some(
      ({ self: holder, durable }) =>
        holder.storeId === voter.storeId &&
        (startOf(durable) >= commitIndex || batchAt(durable, commitIndex)?.term === term),
    );
  const { configuration } = configurations.at(-1) ?? { configuration: undefined };
  const { voters = [], votersOutgoing = [] } = configuration ?? {};
  for (const half of [voters, votersOutgoing]) {
    const votes = half.filter(holds).length;
    expectThat(
      half.length === 0 || votes * 2 > half.length,
      () => `${self.id} commits ${commitIndex}, which is on ${votes} disks of ${half.length}`,
    );
  }
}
