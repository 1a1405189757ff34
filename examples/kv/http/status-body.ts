import type { PeerStatus, RoleName } from 'rxraft';
import type { KvNode } from '../kv-machine.ts';
import type { KvServices } from './context.ts';

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
  readonly members: readonly {
    readonly id: string;
    readonly url: string;
    readonly role: 'voter' | 'learner';
  }[];
  /** On the leader only. */
  readonly peers?: readonly PeerBody[];
  readonly version: string;
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
    members: status.members.map(({ id, url, role }) => ({ id, url, role })),
    ...(status.role === 'leader' ? { peers } : {}),
    version,
  };
}
