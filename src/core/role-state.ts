import type { AppendEntries } from './message.ts';
import type { Progress } from './progress.ts';
import { type Index, index0, type Peer, type RequestId } from './types.ts';

/** What a follower knows of its leader, if it has one. */
export interface Follower {
  readonly type: 'follower';
  readonly leader: Peer | null;
  /** The transport lost its connection with the leader: no reason to stick to it (design §4). */
  readonly isLeaderDown: boolean;
  /** The log is known to be the leader's through here; never falls within a term. */
  readonly verifiedIndex: Index;
  /** The highest index acknowledged to this leader. */
  readonly ackedIndex: Index;
  /** The highest {@link AppendEntries.round} received from this leader. */
  readonly round: number;
  /** It asked for an answer that must wait for the disk. */
  readonly isReplyDue: boolean;
}

/** A node that asks whether it could win, in its current term (thesis §9.6). */
export interface PreCandidate {
  readonly type: 'preCandidate';
  /** Who would vote for it; itself included. */
  readonly votes: readonly Peer[];
  /** Who would not. */
  readonly declined: readonly Peer[];
}

/** A node that stands for election (§5.2). */
export interface Candidate {
  readonly type: 'candidate';
  /** Who voted for it; itself only once its own vote is durable (rule 2). */
  readonly votes: readonly Peer[];
  /** Who did not. */
  readonly declined: readonly Peer[];
}

/** A leader, and what is volatile on leaders (Figure 2). */
export interface Leader {
  readonly type: 'leader';
  /** One for each other member. */
  readonly peers: readonly Progress[];
  /** The index of the empty entry that began its term: once committed, reads are served (§8). */
  readonly readyIndex: Index;
  /** Counts the rounds of read confirmation (thesis §6.4). */
  readonly round: number;
  /** Waiting for confirmation, in the order they came. */
  readonly reads: readonly PendingRead[];
  readonly heartbeatElapsedMs: number;
  /** Since CheckQuorum last looked (thesis §6.2). */
  readonly quorumElapsedMs: number;
  /** The end of the log when CheckQuorum last looked: who holds this much has caught up (thesis §4.2.1). */
  readonly markIndex: Index;
  /** The last configuration whose commitment has been acted on. */
  readonly settledIndex: Index;
  /** The `changeMembers` to answer when the configuration is committed. */
  readonly changeId: RequestId | null;
  /** Leadership is being handed over. */
  readonly transfer: Transfer | null;
  /** Its removal is committed: it leads only until somebody else does. */
  readonly isLeaving: boolean;
}

/** A transfer of leadership under way (thesis §3.10). */
export interface Transfer {
  /** The request to answer; `null` when a leader leaves the cluster. */
  readonly id: RequestId | null;
  readonly to: Peer;
  readonly elapsedMs: number;
}

/** What a node is; it carries only what that role needs. */
export type Role = Follower | PreCandidate | Candidate | Leader;

/** A read that waits for its round. */
export interface PendingRead {
  readonly id: RequestId;
  readonly payload: Uint8Array | undefined;
  /** 0 until a round has begun for it. */
  readonly round: number;
  /** The commit index when its round began. */
  readonly index: Index;
}

/** A follower that has not heard anything from this leader yet. What is committed needs no verification. */
export function followerOf(leader: Peer | null, commitIndex: Index): Follower {
  return {
    type: 'follower',
    leader,
    isLeaderDown: false,
    verifiedIndex: commitIndex,
    ackedIndex: index0,
    round: 0,
    isReplyDue: false,
  };
}
