import { adopt } from './adoption.ts';
import { type BatchKind, type EntryBatch, lastOf } from './batch.ts';
import { encodedBytesOf } from './codec.ts';
import type { Draft, LeaderDraft } from './draft.ts';
import { appendBatches, send } from './durability.ts';
import { fault } from './fault.ts';
import type { ReadLogRes } from './input.ts';
import { isContiguous, termAt } from './log.ts';
import type { AppendEntries } from './message.ts';
import type { Fault } from './output.ts';
import { addressOf, edit } from './peers.ts';
import { noteSent, type Progress, type ProgressDraft } from './progress.ts';
import { askToInstall, beginSnapshot } from './snapshot-sending.ts';
import { after, before, index0, term0 } from './types.ts';
import type { Work } from './work.ts';

/** What a leader appends; index, term and time are its own to give. */
export interface Proposal {
  readonly kind: BatchKind;
  readonly payload: Uint8Array;
  readonly payloadChecksum: number;
  readonly count: number;
}

/**
 * Appends to the leader's log and sends to every follower that has all the rest (§5.3).
 *
 * The messages go first, so that the followers' disks work while ours does (thesis §10.2.1). Safe because
 * our own copy counts only once its `persistRes` is back (rule 2).
 */
export function propose(work: Work, leader: LeaderDraft, proposal: Proposal): EntryBatch {
  const { draft } = work;
  const batch: EntryBatch = {
    group: draft.group,
    index: after(draft.log.lastIndex),
    term: draft.currentTerm,
    count: proposal.count,
    kind: proposal.kind,
    logTimeMs: draft.log.lastLogTimeMs + (draft.now - draft.lastAppendAtMs),
    payload: proposal.payload,
    payloadChecksum: proposal.payloadChecksum,
  };
  appendBatches(work, [batch]);
  if (batch.kind === 'configuration') adopt(draft, batch);
  for (let place = 0; place < leader.peers.length; place++) {
    const isNext = (leader.peers[place] as Progress).nextIndex === batch.index;
    if (isNext && hasRoom(draft, leader.peers[place] as Progress)) {
      sendBatches(work, leader, edit(leader, place), [batch]);
    }
  }
  return batch;
}

/** Whether entries may be sent to this follower now. */
function hasRoom(draft: Draft, peer: Progress): boolean {
  if (peer.readSeq !== 0 || peer.isPaused) return false;
  return peer.state === 'probe' || peer.inflightBytes < draft.config.inflightBytesMax;
}

/** Sends batches that follow each other, the first of them at `nextIndex` or before. */
function sendBatches(
  work: Work,
  leader: LeaderDraft,
  peer: ProgressDraft,
  batches: readonly EntryBatch[],
): void {
  const first = batches[0] as EntryBatch;
  sendAppend(work, leader, peer, { prevLogIndex: before(first.index), batches, isReplyDue: true });
  noteSent(peer, lastOf(batches.at(-1) as EntryBatch), encodedBytesOf(batches));
  if (peer.state === 'probe') peer.isPaused = true;
}

function sendAppend(
  work: Work,
  leader: LeaderDraft,
  peer: ProgressDraft,
  { prevLogIndex, batches, isReplyDue }: Pick<AppendEntries, 'prevLogIndex' | 'batches' | 'isReplyDue'>,
): void {
  const { draft } = work;
  const prevLogTerm = termAt(draft.log, prevLogIndex);
  if (prevLogTerm === undefined) return; // Before the log's start.
  peer.sentCommit = draft.commitIndex;
  send(work, addressOf(peer), {
    type: 'appendEntries',
    term: draft.currentTerm,
    prevLogIndex,
    prevLogTerm,
    leaderCommit: draft.commitIndex,
    batches,
    round: leader.round,
    isReplyDue,
  });
}

/**
 * Sends an empty AppendEntries that claims everything sent so far. A follower that lacks some of it
 * refuses, and so a loss is noticed.
 */
export function probe(work: Work, leader: LeaderDraft, peer: ProgressDraft): void {
  const prevLogIndex = before(peer.nextIndex);
  const needsSnapshot = prevLogIndex < work.draft.log.startIndex;
  if (needsSnapshot && peer.state !== 'snapshot' && peer.isConnected) beginSnapshot(work, peer);
  if (needsSnapshot || peer.state === 'snapshot') return beat(work, leader, peer);
  sendAppend(work, leader, peer, { prevLogIndex, batches: [], isReplyDue: true });
  if (peer.state === 'probe') peer.isPaused = true;
}

/** A heartbeat that claims nothing, for a follower whose place in the log is not known (it always matches). */
function beat(work: Work, { round }: LeaderDraft, peer: ProgressDraft): void {
  const { currentTerm: term, commitIndex: leaderCommit } = work.draft;
  const prev = { prevLogIndex: index0, prevLogTerm: term0 };
  const claimsNothing = { ...prev, leaderCommit, batches: [], round, isReplyDue: true };
  send(work, addressOf(peer), { type: 'appendEntries', term, ...claimsNothing });
}

/** Heartbeats (§5.2), which also begin a new round of read confirmation where there is one. */
export function sendHeartbeats(work: Work, leader: LeaderDraft): void {
  for (let place = 0; place < leader.peers.length; place++) {
    const peer = edit(leader, place);
    probe(work, leader, peer);
    askToInstall(work, peer);
  }
}

/**
 * Tells followers that wait for nothing else about a new commit index, so that they apply it soon. They hold all that they
 * were sent, so their answer would be no news, and none is due; should the message be lost, the next heartbeat says the same.
 */
export function announceCommit(work: Work, leader: LeaderDraft): void {
  for (let place = 0; place < leader.peers.length; place++) {
    const peer = leader.peers[place] as Progress;
    const isIdle = peer.state === 'replicate' && peer.inflight.length === 0 && peer.readSeq === 0;
    if (!isIdle || peer.sentCommit >= work.draft.commitIndex) continue;
    const told = edit(leader, place);
    sendAppend(work, leader, told, {
      prevLogIndex: before(told.nextIndex),
      batches: [],
      isReplyDue: false,
    });
  }
}

/** Fetches what this follower lacks, if it can take more. */
export function catchUp(work: Work, peer: ProgressDraft): void {
  const { draft } = work;
  const isBehind = peer.nextIndex <= draft.log.lastIndex;
  if (!isBehind || peer.state !== 'replicate' || !hasRoom(draft, peer)) return;
  draft.readLogSeq += 1;
  peer.readSeq = draft.readLogSeq;
  work.outputs.push({
    type: 'readLogReq',
    seq: peer.readSeq,
    from: peer.nextIndex,
    maxBytes: draft.config.appendBytesMax,
  });
}

/**
 * The log came back from the disk or the cache. It is sent only if it is what our log says is there: index
 * by index contiguous, and of the right terms (design §3).
 */
export function onReadLogRes(work: Work, leader: LeaderDraft, response: ReadLogRes): Fault | undefined {
  const { draft } = work;
  if (response.seq > draft.readLogSeq) {
    return fault('self', 'unknownCompletion', { seq: response.seq, readLogSeq: draft.readLogSeq });
  }
  const place = leader.peers.findIndex((peer) => response.seq > 0 && peer.readSeq === response.seq);
  if (place < 0) return undefined; // For a follower that has been reset since.
  const peer = edit(leader, place);
  peer.readSeq = 0;
  const { batches } = response;
  if (batches === 'compacted' || !isOurs(draft, peer, batches)) {
    probe(work, leader, peer); // Its answer, or the log's start, shows how to go on.
    return undefined;
  }
  sendBatches(work, leader, peer, batches);
  catchUp(work, peer);
  return undefined;
}

function isOurs(draft: Draft, peer: Progress, batches: readonly EntryBatch[]): boolean {
  const first = batches[0];
  if (first === undefined || first.index > peer.nextIndex) return false;
  const prevTerm = termAt(draft.log, before(first.index));
  if (prevTerm === undefined || !isContiguous(batches, { first: first.index, prevTerm })) return false;
  return (
    lastOf(batches.at(-1) as EntryBatch) >= peer.nextIndex && batches.every((batch) => isHeld(draft, batch))
  );
}

function isHeld(draft: Draft, batch: EntryBatch): boolean {
  const { term } = batch;
  return termAt(draft.log, batch.index) === term && termAt(draft.log, lastOf(batch)) === term;
}
