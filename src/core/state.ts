import type { EntryBatch } from './batch.ts';
import type { Config } from './config.ts';
import type { Configuration, ConfigurationAt } from './configuration.ts';
import type { LogIndex } from './log.ts';
import type { AppendEntries, Message, SnapshotMeta } from './message.ts';
import type { HardState, Output } from './output.ts';
import type { Progress } from './progress.ts';
import { drawBelow, nextRandom, type RandomState, seedRandom } from './random.ts';
import {
  type GroupId,
  higher,
  type Index,
  index0,
  isSamePeer,
  type NodeId,
  type Peer,
  type RequestId,
  type Seq,
  type Term,
} from './types.ts';

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
}

/** A node that stands for election (§5.2). */
export interface Candidate {
  readonly type: 'candidate';
  /** Who voted for it; itself only once its own vote is durable (rule 2). */
  readonly votes: readonly Peer[];
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
  /** When the last batch was appended here, for the log's own clock. */
  readonly lastAppendAtMs: number;
  readonly random: RandomState;
}

/**
 * A private copy of the state that handlers assign to, as the paper assigns to its variables, and what
 * this step asks of the world. Only its own fields, and those of `role`, are assigned to; what they point
 * to is shared with older states and is replaced.
 */
export interface Draft extends Mutable<Omit<State, 'role'>> {
  role: RoleDraft;
  readonly outputs: Output[];
  /** What this step's `persistReq` truncates and adds. */
  truncateFrom: Index | undefined;
  batches: EntryBatch[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A leader that may be assigned to. */
export type LeaderDraft = Mutable<Leader>;

/** A follower that may be assigned to. */
export type FollowerDraft = Mutable<Follower>;

/** A role that may be assigned to. */
export type RoleDraft = FollowerDraft | Mutable<PreCandidate> | Mutable<Candidate> | LeaderDraft;

/** What a node starts from: what its storage loaded, or a founding configuration and nothing else. */
export interface Start {
  readonly self: Peer;
  readonly group: GroupId;
  readonly config: Config;
  /** Any 32-bit integer; nodes may share it. */
  readonly seed: number;
  readonly hardState: HardState;
  readonly log: LogIndex;
  /** At least one, ascending. */
  readonly configurations: readonly ConfigurationAt[];
  /** What the state machine has applied durably; the commit index begins here. */
  readonly appliedIndex: Index;
}

/** The state of a node that starts: a follower that knows no leader (§5.2). All of `start` is durable. */
export function initialState(start: Start): State {
  const { config, self } = start;
  const random = nextRandom(seedRandom(start.seed, self.id, self.storeId));
  const commitIndex = higher(start.appliedIndex, start.log.startIndex);
  return {
    self,
    group: start.group,
    config,
    currentTerm: start.hardState.currentTerm,
    votedFor: start.hardState.votedFor,
    log: start.log,
    configurations: start.configurations,
    commitIndex,
    lastApplied: start.appliedIndex,
    role: followerOf(null, commitIndex),
    persistSeq: 0,
    durableSeq: 0,
    hardStateSeq: 0,
    unflushed: [],
    held: [],
    readLogSeq: 0,
    applySeq: 0,
    snapshotSeq: 0,
    snapshotIndex: start.log.startIndex,
    compacting: null,
    installing: null,
    flushElapsedMs: 0,
    writes: [],
    writeBytes: 0,
    queries: [],
    downPeers: [],
    now: 0,
    electionElapsedMs: 0,
    electionTimeoutMs: isAlone(start) ? 0 : timeoutOf(config, random),
    lastAppendAtMs: 0,
    random,
  };
}

/** The only voter waits for nobody. */
function isAlone({ self, configurations }: Start): boolean {
  const { voters, votersOutgoing } = configurationOf({ configurations });
  return voters.length === 1 && votersOutgoing.length === 0 && isSamePeer(voters[0] as Peer, self);
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

/** An election timeout, drawn between the two bounds (§5.2). */
export function timeoutOf(config: Config, random: RandomState): number {
  const { electionTimeoutMsMin, electionTimeoutMsMax } = config;
  return electionTimeoutMsMin + drawBelow(random, electionTimeoutMsMax - electionTimeoutMsMin + 1);
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

/** The one copy of the state that a step takes. */
export function draftOf(state: State, outputs: Output[]): Draft {
  return {
    self: state.self,
    group: state.group,
    config: state.config,
    currentTerm: state.currentTerm,
    votedFor: state.votedFor,
    log: state.log,
    configurations: state.configurations,
    commitIndex: state.commitIndex,
    lastApplied: state.lastApplied,
    role: copyRole(state.role),
    persistSeq: state.persistSeq,
    durableSeq: state.durableSeq,
    hardStateSeq: state.hardStateSeq,
    unflushed: state.unflushed,
    held: state.held,
    readLogSeq: state.readLogSeq,
    applySeq: state.applySeq,
    snapshotSeq: state.snapshotSeq,
    snapshotIndex: state.snapshotIndex,
    compacting: state.compacting,
    installing: state.installing,
    flushElapsedMs: state.flushElapsedMs,
    writes: state.writes,
    writeBytes: state.writeBytes,
    queries: state.queries,
    downPeers: state.downPeers,
    now: state.now,
    electionElapsedMs: state.electionElapsedMs,
    electionTimeoutMs: state.electionTimeoutMs,
    lastAppendAtMs: state.lastAppendAtMs,
    random: state.random,
    outputs,
    truncateFrom: undefined,
    batches: [],
  };
}

/** The state that a draft has become. */
export function stateOf(draft: Draft): State {
  return {
    self: draft.self,
    group: draft.group,
    config: draft.config,
    currentTerm: draft.currentTerm,
    votedFor: draft.votedFor,
    log: draft.log,
    configurations: draft.configurations,
    commitIndex: draft.commitIndex,
    lastApplied: draft.lastApplied,
    role: draft.role,
    persistSeq: draft.persistSeq,
    durableSeq: draft.durableSeq,
    hardStateSeq: draft.hardStateSeq,
    unflushed: draft.unflushed,
    held: draft.held,
    readLogSeq: draft.readLogSeq,
    applySeq: draft.applySeq,
    snapshotSeq: draft.snapshotSeq,
    snapshotIndex: draft.snapshotIndex,
    compacting: draft.compacting,
    installing: draft.installing,
    flushElapsedMs: draft.flushElapsedMs,
    writes: draft.writes,
    writeBytes: draft.writeBytes,
    queries: draft.queries,
    downPeers: draft.downPeers,
    now: draft.now,
    electionElapsedMs: draft.electionElapsedMs,
    electionTimeoutMs: draft.electionTimeoutMs,
    lastAppendAtMs: draft.lastAppendAtMs,
    random: draft.random,
  };
}

function copyRole(role: Role): RoleDraft {
  switch (role.type) {
    case 'follower':
      return {
        type: 'follower',
        leader: role.leader,
        isLeaderDown: role.isLeaderDown,
        verifiedIndex: role.verifiedIndex,
        ackedIndex: role.ackedIndex,
        round: role.round,
        isReplyDue: role.isReplyDue,
      };
    case 'leader':
      return {
        type: 'leader',
        peers: role.peers,
        readyIndex: role.readyIndex,
        round: role.round,
        reads: role.reads,
        heartbeatElapsedMs: role.heartbeatElapsedMs,
        quorumElapsedMs: role.quorumElapsedMs,
        markIndex: role.markIndex,
        settledIndex: role.settledIndex,
        changeId: role.changeId,
        transfer: role.transfer,
        isLeaving: role.isLeaving,
      };
    default:
      return { type: role.type, votes: role.votes };
  }
}
