import type { Config } from './config.ts';
import type { Configuration, ConfigurationAt } from './configuration.ts';
import type { LogIndex } from './log.ts';
import type { Message, SnapshotMeta } from './message.ts';
import type { RandomState } from './random.ts';
import type { Role } from './role-state.ts';
import type { GroupId, Index, NodeId, Peer, RequestId, Seq, Term } from './types.ts';

/** A compaction under way (§7). */
export interface Compacting {
  readonly id: RequestId;
  readonly seq: Seq;
  readonly keepsPrevious: boolean;
  readonly isSnapshotTaken: boolean;
}

/** A snapshot that the disk is switching to (§7). */
export interface Installing {
  readonly seq: Seq;
  readonly snapshot: SnapshotMeta;
}

/** A write that waits for its answer. */
export interface PendingWrite {
  readonly id: RequestId;
  readonly index: Index;
  readonly lastIndex: Index;
  readonly term: Term;
  readonly bytes: number;
}

/** A disk request that wrote entries and is not back yet. */
export interface Unflushed {
  readonly seq: Seq;
  /** The first index that it wrote or truncated. */
  readonly firstIndex: Index;
}

/** A message that waits for the disk. */
export interface Held {
  readonly seq: Seq;
  readonly to: Peer;
  readonly message: Message;
}

/** A node, whole. A plain value: it can be printed, compared, recorded and replayed. */
export interface State {
  readonly self: Peer;
  readonly group: GroupId;
  readonly config: Config;

  /** Persistent on all servers (Figure 2); `hardStateSeq` says when it is durable. */
  readonly currentTerm: Term;
  readonly votedFor: Peer | null;
  readonly log: LogIndex;
  /** Ascending; the last one is in effect (§6). */
  readonly configurations: readonly ConfigurationAt[];

  /** Volatile on all servers (Figure 2). */
  readonly commitIndex: Index;
  readonly lastApplied: Index;
  readonly role: Role;

  /** The last `persistReq` sent, and the last one known to be durable. */
  readonly persistSeq: Seq;
  readonly durableSeq: Seq;
  /** The `persistReq` that carries the current term and vote. */
  readonly hardStateSeq: Seq;
  /** Ascending in both fields: a later request that begins lower stands for those after it. */
  readonly unflushed: readonly Unflushed[];
  readonly held: readonly Held[];
  readonly readLogSeq: Seq;
  readonly applySeq: Seq;
  /** Counts requests that take, send and install snapshots. */
  readonly snapshotSeq: Seq;
  /** The state machine's last durable snapshot goes through here. */
  readonly snapshotIndex: Index;
  readonly compacting: Compacting | null;
  readonly installing: Installing | null;
  /** How long the disk has owed a flush without finishing one, in milliseconds. */
  readonly flushElapsedMs: number;

  /** In log order. */
  readonly writes: readonly PendingWrite[];
  /** The payload bytes of `writes`. */
  readonly writeBytes: number;
  /** Reads that the state machine is answering. */
  readonly queries: readonly RequestId[];

  /** Nodes that the transport has no connection with. A hint, never proof. */
  readonly downPeers: readonly NodeId[];
  /** Milliseconds of the last tick. */
  readonly now: number;
  readonly electionElapsedMs: number;
  readonly electionTimeoutMs: number;
  /** Short waits drawn since the connection to the leader broke; 0 while none has (fast failover, design §4). */
  readonly failovers: number;
  /** When the last batch was appended here, for the log's own clock. */
  readonly lastAppendAtMs: number;
  readonly random: RandomState;
}

/** The configuration in effect: the latest in the log, committed or not (§6). */
export function configurationOf(state: Pick<State, 'configurations'>): Configuration {
  return state.configurations.at(-1)?.configuration ?? noConfiguration;
}

const noConfiguration: Configuration = { voters: [], votersOutgoing: [], learners: [] };

/** Everything through here is on this node's disk. */
export function durableIndex(state: Pick<State, 'unflushed' | 'log'>): Index {
  const oldest = state.unflushed[0];
  return oldest === undefined ? state.log.lastIndex : ((oldest.firstIndex - 1) as Index);
}
