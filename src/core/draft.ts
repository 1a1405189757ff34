import type { EntryBatch } from './batch.ts';
import type { Output } from './output.ts';
import type { State } from './state.ts';
import { copyState, type RoleDraft, type StateDraft } from './state-draft.ts';
import type { Index } from './types.ts';

/**
 * A private copy of the state that handlers assign to, as the paper assigns to its variables, and what
 * this step asks of the world. Only its own fields, and those of `role`, are assigned to; what they point
 * to is shared with older states and is replaced.
 *
 * Its fields are those of the state that it becomes, which is so copied once and not once more when the step is over:
 * three cores commit a tenth more. What the step asks of the world is no part of a state.
 */
export class Draft implements Omit<StateDraft, 'self' | 'group' | 'config'> {
  /** What the draft becomes. */
  readonly next: StateDraft;
  readonly outputs: Output[];
  /** What this step's `persistReq` truncates and adds. */
  truncateFrom: Index | undefined = undefined;
  batches: readonly EntryBatch[] | undefined = undefined;

  constructor(state: State, outputs: Output[]) {
    this.next = copyState(state);
    this.outputs = outputs;
  }

  get self(): State['self'] {
    return this.next.self;
  }
  get group(): State['group'] {
    return this.next.group;
  }
  get config(): State['config'] {
    return this.next.config;
  }
  get currentTerm(): State['currentTerm'] {
    return this.next.currentTerm;
  }
  set currentTerm(value: State['currentTerm']) {
    this.next.currentTerm = value;
  }
  get votedFor(): State['votedFor'] {
    return this.next.votedFor;
  }
  set votedFor(value: State['votedFor']) {
    this.next.votedFor = value;
  }
  get log(): State['log'] {
    return this.next.log;
  }
  set log(value: State['log']) {
    this.next.log = value;
  }
  get configurations(): State['configurations'] {
    return this.next.configurations;
  }
  set configurations(value: State['configurations']) {
    this.next.configurations = value;
  }
  get commitIndex(): State['commitIndex'] {
    return this.next.commitIndex;
  }
  set commitIndex(value: State['commitIndex']) {
    this.next.commitIndex = value;
  }
  get lastApplied(): State['lastApplied'] {
    return this.next.lastApplied;
  }
  set lastApplied(value: State['lastApplied']) {
    this.next.lastApplied = value;
  }
  get role(): RoleDraft {
    return this.next.role;
  }
  set role(value: RoleDraft) {
    this.next.role = value;
  }
  get persistSeq(): State['persistSeq'] {
    return this.next.persistSeq;
  }
  set persistSeq(value: State['persistSeq']) {
    this.next.persistSeq = value;
  }
  get durableSeq(): State['durableSeq'] {
    return this.next.durableSeq;
  }
  set durableSeq(value: State['durableSeq']) {
    this.next.durableSeq = value;
  }
  get hardStateSeq(): State['hardStateSeq'] {
    return this.next.hardStateSeq;
  }
  set hardStateSeq(value: State['hardStateSeq']) {
    this.next.hardStateSeq = value;
  }
  get unflushed(): State['unflushed'] {
    return this.next.unflushed;
  }
  set unflushed(value: State['unflushed']) {
    this.next.unflushed = value;
  }
  get held(): State['held'] {
    return this.next.held;
  }
  set held(value: State['held']) {
    this.next.held = value;
  }
  get readLogSeq(): State['readLogSeq'] {
    return this.next.readLogSeq;
  }
  set readLogSeq(value: State['readLogSeq']) {
    this.next.readLogSeq = value;
  }
  get applySeq(): State['applySeq'] {
    return this.next.applySeq;
  }
  set applySeq(value: State['applySeq']) {
    this.next.applySeq = value;
  }
  get snapshotSeq(): State['snapshotSeq'] {
    return this.next.snapshotSeq;
  }
  set snapshotSeq(value: State['snapshotSeq']) {
    this.next.snapshotSeq = value;
  }
  get snapshotIndex(): State['snapshotIndex'] {
    return this.next.snapshotIndex;
  }
  set snapshotIndex(value: State['snapshotIndex']) {
    this.next.snapshotIndex = value;
  }
  get compacting(): State['compacting'] {
    return this.next.compacting;
  }
  set compacting(value: State['compacting']) {
    this.next.compacting = value;
  }
  get installing(): State['installing'] {
    return this.next.installing;
  }
  set installing(value: State['installing']) {
    this.next.installing = value;
  }
  get flushElapsedMs(): State['flushElapsedMs'] {
    return this.next.flushElapsedMs;
  }
  set flushElapsedMs(value: State['flushElapsedMs']) {
    this.next.flushElapsedMs = value;
  }
  get writes(): State['writes'] {
    return this.next.writes;
  }
  set writes(value: State['writes']) {
    this.next.writes = value;
  }
  get writeBytes(): State['writeBytes'] {
    return this.next.writeBytes;
  }
  set writeBytes(value: State['writeBytes']) {
    this.next.writeBytes = value;
  }
  get queries(): State['queries'] {
    return this.next.queries;
  }
  set queries(value: State['queries']) {
    this.next.queries = value;
  }
  get downPeers(): State['downPeers'] {
    return this.next.downPeers;
  }
  set downPeers(value: State['downPeers']) {
    this.next.downPeers = value;
  }
  get now(): State['now'] {
    return this.next.now;
  }
  set now(value: State['now']) {
    this.next.now = value;
  }
  get electionElapsedMs(): State['electionElapsedMs'] {
    return this.next.electionElapsedMs;
  }
  set electionElapsedMs(value: State['electionElapsedMs']) {
    this.next.electionElapsedMs = value;
  }
  get electionTimeoutMs(): State['electionTimeoutMs'] {
    return this.next.electionTimeoutMs;
  }
  set electionTimeoutMs(value: State['electionTimeoutMs']) {
    this.next.electionTimeoutMs = value;
  }
  get failovers(): State['failovers'] {
    return this.next.failovers;
  }
  set failovers(value: State['failovers']) {
    this.next.failovers = value;
  }
  get lastAppendAtMs(): State['lastAppendAtMs'] {
    return this.next.lastAppendAtMs;
  }
  set lastAppendAtMs(value: State['lastAppendAtMs']) {
    this.next.lastAppendAtMs = value;
  }
  get random(): State['random'] {
    return this.next.random;
  }
  set random(value: State['random']) {
    this.next.random = value;
  }
}
