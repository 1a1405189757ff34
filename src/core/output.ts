import type { EntryBatch } from './batch.ts';
import type { Message, SnapshotMeta } from './message.ts';
import type { Index, NodeId, Peer, RequestId, Seq, Term } from './types.ts';

/** A message to send. It may always be sent at once: what must wait for the disk, the core held back. */
export interface SendMessage {
  readonly type: 'message';
  readonly to: Peer;
  readonly message: Message;
}

/** What must never be forgotten besides the log (§5.2, Figure 2). */
export interface HardState {
  readonly currentTerm: Term;
  readonly votedFor: Peer | null;
}

/** Make all of this durable, atomically; then give `persistRes` with this `seq` or a later one. */
export interface PersistReq {
  readonly type: 'persistReq';
  readonly seq: Seq;
  /** When there, term or vote changed. */
  readonly hardState?: HardState;
  /** When there, every stored batch from this index on goes before `batches` are added. */
  readonly truncateFrom?: Index;
  /** To add at the end of the log, contiguous. May be empty. */
  readonly batches: readonly EntryBatch[];
}

/**
 * Fetch batches for a follower that lags, from the start of the batch that holds `from`: whole batches,
 * at least one, about `maxBytes` of payload. It sees every earlier `persistReq`, flushed or not.
 */
export interface ReadLogReq {
  readonly type: 'readLogReq';
  readonly seq: Seq;
  readonly from: Index;
  readonly maxBytes: number;
}

/** Apply the committed entries through this index to the state machine, in order. */
export interface ApplyReq {
  readonly type: 'applyReq';
  readonly seq: Seq;
  readonly through: Index;
}

/** This read is confirmed: in its lane, run the query after the `applyReq` before it (thesis §6.4). */
export interface ReadStateMachineReq {
  readonly type: 'readStateMachineReq';
  readonly id: RequestId;
  /** The read index: the answer must reflect at least this much. */
  readonly index: Index;
  readonly payload?: Uint8Array;
}

/**
 * Take a view of the state machine as it is now in its lane, and make it a durable snapshot; for a machine
 * whose durable state is one already, say through which index.
 */
export interface TakeSnapshotReq {
  readonly type: 'takeSnapshotReq';
  readonly seq: Seq;
}

/** Drop the log through this index, and keep its term and the configuration in effect there. */
export interface CompactLogReq {
  readonly type: 'compactLogReq';
  readonly seq: Seq;
  readonly through: Index;
  readonly throughTerm: Term;
}

/** Send the state machine as it is, applied through `from` at least, to a follower, in chunks, until all are there. */
export interface SendSnapshotReq {
  readonly type: 'sendSnapshotReq';
  readonly seq: Seq;
  readonly to: Peer;
  readonly from: Index;
}

/**
 * Switch to the snapshot of this transfer: machine data, applied index, log start and configuration at once
 * (rule 12); term and vote stay. A barrier in both lanes.
 */
export interface InstallSnapshotReq {
  readonly type: 'installSnapshotReq';
  readonly seq: Seq;
  readonly transferId: string;
  readonly snapshot: SnapshotMeta;
  /** The log holds the snapshot's last entry: what follows it stays. Otherwise the whole log goes. */
  readonly keepsSuffix: boolean;
}

/** Why a request did nothing; it is safe to send it again. */
export type Refusal =
  /** This node does not lead; `leaderId` is its best guess at who does. */
  | { readonly type: 'notLeader'; readonly leaderId: NodeId | null }
  /** Too many requests are under way. */
  | { readonly type: 'overloaded' }
  /** Leadership is being handed over to `to`: it goes on there in a moment. */
  | { readonly type: 'transferring'; readonly to: NodeId }
  /** Something of its kind is under way, or has to come first; `detail` says what. */
  | { readonly type: 'busy'; readonly detail: string }
  /** What it was conditional on is not so; `detail` says what is. */
  | { readonly type: 'conflict'; readonly detail: string }
  /** It was given up: the other side did not get on within an election timeout. */
  | { readonly type: 'timeout'; readonly detail: string }
  /** The request itself is malformed; `detail` says how. */
  | { readonly type: 'invalid'; readonly detail: string };

/** What became of a write (rule 22). */
export type WriteResult =
  /** In the log for good, and applied. The first command has index `index`, the next one `index + 1`, … */
  | { readonly type: 'committed'; readonly index: Index; readonly term: Term }
  /** Never appended: safe to retry. */
  | { readonly type: 'notCommitted'; readonly reason: Refusal }
  /** Appended by a leader that has since stepped down: it may or may not be committed. */
  | { readonly type: 'unknown' };

/** What became of a read. */
export type ReadResult =
  | { readonly type: 'ok'; readonly payload?: Uint8Array }
  | { readonly type: 'refused'; readonly reason: Refusal };

/** What became of an operator's request. */
export type AdminResult =
  | { readonly type: 'ok' }
  | { readonly type: 'refused'; readonly reason: Refusal }
  /** This node stepped down meanwhile: the next leader may or may not complete it. */
  | { readonly type: 'unknown' };

/** The answer to a `write`: exactly one for each. */
export interface WriteRes {
  readonly type: 'writeRes';
  readonly id: RequestId;
  readonly result: WriteResult;
}

/** The answer to a `read`: exactly one for each. */
export interface ReadRes {
  readonly type: 'readRes';
  readonly id: RequestId;
  readonly result: ReadResult;
}

/** The answer to an operator's request: exactly one for each. */
export interface AdminRes {
  readonly type: 'adminRes';
  readonly id: RequestId;
  readonly result: AdminResult;
}

/**
 * What can't be. The state is unchanged. `self` stops the node, `peer` closes that peer's connection,
 * `request` answers the caller. No peer can stop a node.
 */
export interface Fault {
  readonly type: 'fault';
  readonly scope: 'self' | 'peer' | 'request';
  readonly kind: FaultKind;
  /** The numbers that contradict each other, by name. */
  readonly detail: Readonly<Record<string, string | number>>;
}

/** The stable names of faults, explained in `docs/errors.md`. */
export type FaultKind =
  /** An input has a field of the wrong type or range. */
  | 'malformedInput'
  /** A message has a field of the wrong type or range, or batches that do not follow each other (rule 14). */
  | 'malformedMessage'
  /** A message's term is further ahead than elections can have led (§5.1). */
  | 'termBeyondReach'
  /** A message would replace an entry that is committed (rule 4). */
  | 'committedEntryReplaced'
  /** Two leaders in one term (§5.2, Election Safety). */
  | 'twoLeaders'
  /** A follower acknowledges more than was ever sent. */
  | 'ackBeyondLog'
  /** A completion for something that was never requested. */
  | 'unknownCompletion'
  /** The state machine applied more than it was asked to. */
  | 'appliedBeyondRequest';

/** Everything that a node can ask of the world. */
export type Output =
  | SendMessage
  | PersistReq
  | ReadLogReq
  | ApplyReq
  | ReadStateMachineReq
  | TakeSnapshotReq
  | CompactLogReq
  | SendSnapshotReq
  | InstallSnapshotReq
  | WriteRes
  | ReadRes
  | AdminRes
  | Fault;
