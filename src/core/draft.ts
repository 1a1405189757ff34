import type { EntryBatch } from './batch.ts';
import type { Output } from './output.ts';
import type { Candidate, Follower, Leader, PreCandidate, Role } from './role-state.ts';
import type { State } from './state.ts';
import type { Index } from './types.ts';

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
  batches: EntryBatch[] | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A leader that may be assigned to. */
export type LeaderDraft = Mutable<Leader>;

/** A follower that may be assigned to. */
export type FollowerDraft = Mutable<Follower>;

/** A role that may be assigned to. */
export type RoleDraft = FollowerDraft | Mutable<PreCandidate> | Mutable<Candidate> | LeaderDraft;

/**
 * The one copy of the state that a step takes.
 *
 * It lists every field, and so does {@link stateOf}: on Node 20 the two literals take 23 ns together. With one
 * literal for both, to which the last three fields are added afterwards, it is 125 ns; with object spread, 750 ns.
 */
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
    failovers: state.failovers,
    lastAppendAtMs: state.lastAppendAtMs,
    random: state.random,
    outputs,
    truncateFrom: undefined,
    batches: undefined,
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
    failovers: draft.failovers,
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
      return { type: role.type, votes: role.votes, declined: role.declined };
  }
}
