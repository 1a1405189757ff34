import type { Candidate, Follower, Leader, PreCandidate, Role } from './role-state.ts';
import type { State } from './state.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A leader that may be assigned to. */
export type LeaderDraft = Mutable<Leader>;

/** A follower that may be assigned to. */
export type FollowerDraft = Mutable<Follower>;

/** A role that may be assigned to. */
export type RoleDraft = FollowerDraft | Mutable<PreCandidate> | Mutable<Candidate> | LeaderDraft;

/**
 * A private copy of the state, to which handlers assign as the paper assigns to its variables; it becomes the next state.
 * Only its own fields, and those of `role`, are assigned to: what they point to is shared with older states, and is replaced.
 */
export type Draft = Mutable<Omit<State, 'role'>> & { role: RoleDraft };

/** The one copy of the state that a step takes. It lists every field: on Node 20 that takes 12 ns, object spread 370. */
export function copyState(state: State): Draft {
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
