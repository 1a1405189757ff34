import type { EntryBatch } from './batch.ts';
import type { Member } from './configuration.ts';
import type { Message } from './message.ts';
import type { Index, NodeId, Peer, RequestId, Seq } from './types.ts';

/** The clock. Safety never depends on it, liveness does. */
export interface Tick {
  readonly type: 'tick';
  /** Monotonic milliseconds since any fixed moment, an integer. Going backwards is taken as standing still. */
  readonly now: number;
}

/** Commands to append. Answered by one `writeRes`. */
export interface Write {
  readonly type: 'write';
  readonly id: RequestId;
  /** `count` commands, each a big-endian u32 length and then as many bytes. */
  readonly payload: Uint8Array;
  /** CRC-32 of `payload`. */
  readonly payloadChecksum: number;
  /** How many commands: at least 1. Each gets an index of its own. */
  readonly count: number;
}

/** A linearizable query of the state machine. Answered by one `readRes`. */
export interface Read {
  readonly type: 'read';
  readonly id: RequestId;
  /** Opaque; handed back in the `readStateMachineReq`. */
  readonly payload?: Uint8Array;
}

/** A peer's message arrived. */
export interface MessageReceived {
  readonly type: 'message';
  readonly from: Peer;
  readonly message: Message;
}

/** Every `persistReq` up to `seq` is on disk, flushed. */
export interface PersistRes {
  readonly type: 'persistRes';
  readonly seq: Seq;
}

/** The batches that a `readLogReq` asked for, or `compacted` when its `from` is no longer in the log. */
export interface ReadLogRes {
  readonly type: 'readLogRes';
  readonly seq: Seq;
  readonly batches: readonly EntryBatch[] | 'compacted';
}

/** The state machine has applied entries. */
export interface ApplyRes {
  readonly type: 'applyRes';
  readonly seq: Seq;
  /** Applied, and visible to queries, through here. */
  readonly appliedIndex: Index;
  /** Applied and flushed through here. */
  readonly durableIndex: Index;
}

/** The answer to a `readStateMachineReq`. */
export interface ReadStateMachineRes {
  readonly type: 'readStateMachineRes';
  readonly id: RequestId;
  readonly payload?: Uint8Array;
}

/** The operator asks this node to stand for election now. Answered by one `adminRes`. */
export interface Campaign {
  readonly type: 'campaign';
  readonly id: RequestId;
}

/** One step of a change of members. */
export type MemberChange =
  /** A new member, a learner at first; with `role: 'voter'` it is promoted once it has caught up. */
  | { readonly type: 'add'; readonly member: Member; readonly role: 'voter' | 'learner' }
  | { readonly type: 'remove'; readonly id: NodeId }
  /** A learner that has caught up becomes a voter. */
  | { readonly type: 'promote'; readonly id: NodeId }
  /** A voter becomes a learner. */
  | { readonly type: 'demote'; readonly id: NodeId }
  /** A member is reached elsewhere from now on. */
  | { readonly type: 'move'; readonly id: NodeId; readonly url: string };

/** Changes the members, all at once (§6). Answered by one `adminRes`, once the change is committed. */
export interface ChangeMembers {
  readonly type: 'changeMembers';
  readonly id: RequestId;
  /** 1 to 256, taken in order; a removed name may be added again with another store. */
  readonly changes: readonly MemberChange[];
  /** When there: only if the configuration in effect is the one of this index (compare and set). */
  readonly expectedIndex?: Index;
}

/**
 * Hands leadership over (thesis §3.10). Answered by one `adminRes`, once this node has stepped down for the
 * next leader, or has given up.
 */
export interface TransferLeadership {
  readonly type: 'transferLeadership';
  readonly id: RequestId;
  /** Without it: to the voter that is furthest. */
  readonly to?: NodeId;
}

/**
 * Takes a snapshot and drops the log that it makes needless, but for what a transfer under way needs.
 * Answered by one `adminRes`, once that is durable.
 */
export interface Compact {
  readonly type: 'compact';
  readonly id: RequestId;
  /** Entries before the snapshot to keep, for followers that are a little behind; rounded to older snapshots. */
  readonly keepsPrevious: boolean;
}

/** The snapshot that a `takeSnapshotReq` asked for is durable through `index`, the end of a batch. */
export interface TakeSnapshotRes {
  readonly type: 'takeSnapshotRes';
  readonly seq: Seq;
  readonly index: Index;
}

/** The prefix of the log is gone, durably. */
export interface CompactLogRes {
  readonly type: 'compactLogRes';
  readonly seq: Seq;
}

/** All chunks of a snapshot are on the follower's disk, or the transfer failed (`null`). */
export interface SendSnapshotRes {
  readonly type: 'sendSnapshotRes';
  readonly seq: Seq;
  readonly sent: { readonly transferId: string; readonly index: Index; readonly logTimeMs: number } | null;
}

/** The snapshot is what this node's disk and machine hold now; or it could not be installed, and nothing changed. */
export interface InstallSnapshotRes {
  readonly type: 'installSnapshotRes';
  readonly seq: Seq;
  readonly isInstalled: boolean;
}

/** The transport has a connection to or from this node again. A hint, never proof. */
export interface PeerUp {
  readonly type: 'peerUp';
  readonly id: NodeId;
}

/** The transport has no open connection with this node, in either direction. A hint, never proof. */
export interface PeerDown {
  readonly type: 'peerDown';
  readonly id: NodeId;
}

/** What an output asked for is done. */
export type Completion =
  | PersistRes
  | ReadLogRes
  | ApplyRes
  | ReadStateMachineRes
  | TakeSnapshotRes
  | CompactLogRes
  | SendSnapshotRes
  | InstallSnapshotRes;

/** Everything that can happen to a node. */
export type Input =
  | Tick
  | Write
  | Read
  | MessageReceived
  | Campaign
  | ChangeMembers
  | TransferLeadership
  | Compact
  | PeerUp
  | PeerDown
  | Completion;
