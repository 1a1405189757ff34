import type { EntryBatch } from './batch.ts';
import type { ConfigurationAt } from './configuration.ts';
import type { Index, Term } from './types.ts';

/** Asks whether an election could be won, before disturbing anyone with a higher term (thesis §9.6). */
export interface PreVote {
  readonly type: 'preVote';
  /** The term that the sender would campaign in: its current term plus one. */
  readonly term: Term;
  readonly lastLogIndex: Index;
  readonly lastLogTerm: Term;
}

/** The answer to a {@link PreVote}. */
export interface PreVoteReply {
  readonly type: 'preVoteReply';
  /** Granted: the term that was asked about. Declined: the sender's current term. */
  readonly term: Term;
  readonly voteGranted: boolean;
}

/** RequestVote (§5.2). The sender of the message is the paper's `candidateId`. */
export interface RequestVote {
  readonly type: 'requestVote';
  readonly term: Term;
  /** The leader itself asked the sender to stand: nobody need stick to that leader (thesis §3.10, §4.2.3). */
  readonly isTransfer: boolean;
  readonly lastLogIndex: Index;
  readonly lastLogTerm: Term;
}

/** The answer to a {@link RequestVote} (§5.2). */
export interface RequestVoteReply {
  readonly type: 'requestVoteReply';
  readonly term: Term;
  readonly voteGranted: boolean;
}

/**
 * AppendEntries (§5.3); without batches, a heartbeat or, if no reply is due, news of a commit index. The sender is the
 * paper's `leaderId`.
 */
export interface AppendEntries {
  readonly type: 'appendEntries';
  readonly term: Term;
  readonly prevLogIndex: Index;
  readonly prevLogTerm: Term;
  readonly leaderCommit: Index;
  /** Contiguous, from `prevLogIndex + 1`. */
  readonly batches: readonly EntryBatch[];
  /** The leader's private counter for read confirmation (thesis §6.4); the reply brings it back. */
  readonly round: number;
  /**
   * The leader waits for an answer, whatever it says. Otherwise a follower answers only what the leader can't know: a
   * refusal, a newer term, entries that became durable, a round that it had not heard of.
   */
  readonly isReplyDue: boolean;
}

/** The answer to an {@link AppendEntries} (§5.3). */
export interface AppendEntriesReply {
  readonly type: 'appendEntriesReply';
  readonly term: Term;
  readonly success: boolean;
  /** Success: everything up to here is the leader's log, and durable. Otherwise 0. */
  readonly matchIndex: Index;
  /** The highest round received from this leader in this term. */
  readonly round: number;
  /** Refusal: the `prevLogIndex` that did not match. Otherwise 0. */
  readonly rejectedIndex: Index;
  /**
   * Refusal: where the leader should look next, the last index of the sender's log that is not above
   * `rejectedIndex` and whose term is not above the refused `prevLogTerm` (§5.3, last paragraphs).
   */
  readonly hintIndex: Index;
  /** Refusal: the term of the entry at `hintIndex`. */
  readonly hintTerm: Term;
}

/** Asks a voter whose log is complete to stand for election at once (thesis §3.10). */
export interface TimeoutNow {
  readonly type: 'timeoutNow';
  readonly term: Term;
}

/** What a snapshot stands for: the state machine after a committed entry, and what the log said until then (§7). */
export interface SnapshotMeta {
  /** The paper's `lastIncludedIndex`. */
  readonly index: Index;
  /** The paper's `lastIncludedTerm`. */
  readonly term: Term;
  /** The log's clock at `index`. */
  readonly logTimeMs: number;
  /** The configuration in effect at `index`, which is committed (rule 8), and where it stood. */
  readonly configuration: ConfigurationAt;
}

/**
 * InstallSnapshot (§7), once all chunks of the snapshot have arrived on the follower's disk: they travel
 * outside the core. Answered by an {@link AppendEntriesReply}.
 */
export interface InstallSnapshot {
  readonly type: 'installSnapshot';
  readonly term: Term;
  /** The transfer whose chunks have arrived. */
  readonly transferId: string;
  readonly snapshot: SnapshotMeta;
}

/** What nodes say to each other. It may be lost, late, doubled or reordered. */
export type Message =
  | PreVote
  | PreVoteReply
  | RequestVote
  | RequestVoteReply
  | AppendEntries
  | AppendEntriesReply
  | TimeoutNow
  | InstallSnapshot;
