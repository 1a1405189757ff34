import type { Configuration, Explanation, NodeStatus, PeerStatus, RefusalStatus, RoleName } from 'rxraft';
import type { KvNode } from '../kv-machine.ts';
import type { KvServices } from './context.ts';
import { configurationAt } from './membership.ts';

/** What `/status` answers. */
export interface StatusBody {
  readonly id: string;
  /** `null` before the cluster is founded. */
  readonly clusterId: string | null;
  readonly role: RoleName;
  readonly term: number;
  readonly leaderId: string | null;
  readonly commitIndex: number;
  readonly lastApplied: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
  readonly snapshotIndex: number;
  readonly members: readonly MemberBody[];
  /** The names of those who vote, by the configuration in effect; `null` before there is one. */
  readonly configuration: ConfigurationBody | null;
  /** On the leader only. */
  readonly peers?: readonly PeerBody[];
  /** Connections that were refused, by this node or by a peer, and none is open with that node since. */
  readonly refusals: readonly RefusalStatus[];
  /** What is the matter, in words; empty if all is well. */
  readonly explain: readonly Explanation[];
  readonly version: string;
}

/** A member of the cluster. */
export interface MemberBody {
  readonly id: string;
  readonly url: string;
  readonly role: 'voter' | 'learner';
  /** On a learner that becomes a voter by itself, once it has caught up. */
  readonly willVote?: true;
}

/** A configuration, and the index of the entry that brought it, which a compare-and-set expects. */
export interface ConfigurationBody {
  readonly index: number;
  readonly voters: readonly string[];
  /** While a change is under way: those of before, who have to agree as well. Else empty. */
  readonly votersOutgoing: readonly string[];
  readonly learners: readonly string[];
}

/** Another member, as the leader sees it. */
export interface PeerBody {
  readonly id: string;
  readonly state: PeerStatus['state'];
  readonly matchIndex: number;
  readonly lag: number;
  readonly rttMs: number | null;
  /** Milliseconds since the peer was first seen unreachable; only while it is. */
  readonly unreachableMs?: number;
}

/** The node's own status, in the names of the contract. */
export function statusBody(
  node: KvNode,
  { peerClock, version }: Pick<KvServices, 'peerClock' | 'version'>,
): StatusBody {
  const status = node.status();
  peerClock.observe(status.peers);
  const peers = status.peers.map(({ id, state, matchIndex, lag, rttMs }) => {
    const unreachableMs = peerClock.unreachableMs(id);
    return { id, state, matchIndex, lag, rttMs, ...(unreachableMs === null ? {} : { unreachableMs }) };
  });
  return {
    id: status.id,
    clusterId: status.clusterId,
    role: status.role,
    term: status.term,
    leaderId: status.leaderId,
    commitIndex: status.commitIndex,
    lastApplied: status.lastApplied,
    lastIndex: status.lastIndex,
    firstIndex: status.firstIndex,
    snapshotIndex: status.snapshotIndex,
    members: status.members.map(memberBody),
    configuration: configurationBody(node),
    ...(status.role === 'leader' ? { peers } : {}),
    refusals: status.refusals,
    explain: node.explain(),
    version,
  };
}

/** A member, in the names of the contract. */
export function memberBody({ id, url, role, willVote }: NodeStatus['members'][number]): MemberBody {
  return { id, url, role, ...(willVote === true ? { willVote } : {}) };
}

function configurationBody(node: KvNode): ConfigurationBody | null {
  const at = configurationAt(node);
  if (at === null) return null;
  const names = (members: Configuration['voters']): readonly string[] => members.map(({ id }) => id);
  const { voters, votersOutgoing, learners } = at.configuration;
  return {
    index: at.index,
    voters: names(voters),
    votersOutgoing: names(votersOutgoing),
    learners: names(learners),
  };
}
