import {
  after,
  configurationOf,
  isSilent,
  isVoter,
  type Leader,
  membersOf,
  type NodeId,
  type Progress,
  type State,
} from '../core/index.ts';
import type { LinkStatus } from '../transport/transport.ts';
import type { NodeStatus, PeerStatus, RoleName } from './raft-node.ts';

/** What a node is doing, in a word. */
export function roleNameOf(state: State): RoleName {
  const { role } = state;
  return role.type === 'follower' && !isVoter(configurationOf(state), state.self) ? 'learner' : role.type;
}

/** Who leads, as far as this node knows. */
export function leaderIdOf({ role, self }: State): NodeId | null {
  if (role.type === 'leader') return self.id;
  return role.type === 'follower' ? (role.leader?.id ?? null) : null;
}

/** A node at a glance, but for whom it refuses. */
export function statusOf(
  state: State,
  clusterId: string | null,
  links: readonly LinkStatus[],
): Omit<NodeStatus, 'refusals'> {
  const configuration = configurationOf(state);
  return {
    id: state.self.id,
    clusterId,
    storeId: state.self.storeId,
    role: roleNameOf(state),
    term: state.currentTerm,
    leaderId: leaderIdOf(state),
    commitIndex: state.commitIndex,
    lastApplied: state.lastApplied,
    lastIndex: state.log.lastIndex,
    firstIndex: after(state.log.startIndex),
    snapshotIndex: state.log.startIndex,
    members: membersOf(configuration).map((member) => ({
      ...member,
      role: isVoter(configuration, member) ? 'voter' : 'learner',
    })),
    peers: state.role.type === 'leader' ? peersOf(state, state.role, links) : [],
    links,
  };
}

function peersOf(state: State, leader: Leader, links: readonly LinkStatus[]): readonly PeerStatus[] {
  return leader.peers.map((peer) => ({
    id: peer.id,
    state: peer.isConnected && !isSilent(leader, peer) ? peer.state : 'unreachable',
    matchIndex: peer.matchIndex,
    lag: lagOf(state, peer),
    rttMs: links.find((link) => link.id === peer.id)?.rttMs ?? null,
  }));
}

function lagOf(state: State, peer: Progress): number {
  return Math.max(0, state.log.lastIndex - peer.matchIndex);
}
