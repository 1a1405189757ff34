import { adopt } from './adoption.ts';
import { type EntryBatch, lastOf } from './batch.ts';
import { advanceCommit, advanceCommitAsLeader } from './commit.ts';
import type { Draft, FollowerDraft, LeaderDraft } from './draft.ts';
import { appendBatches, send, sendWhenDurable, truncateLogFrom } from './durability.ts';
import { fault } from './fault.ts';
import { acknowledge, follow, refusal } from './following.ts';
import { type LogIndex, lastNotAbove, termAt } from './log.ts';
import type { AppendEntries, AppendEntriesReply } from './message.ts';
import type { Fault } from './output.ts';
import { edit, placeOf } from './peers.ts';
import { becomeProbe, noteArrived, type ProgressDraft } from './progress.ts';
import { confirmReads } from './reads.ts';
import { announceCommit, catchUp, probe } from './replication.ts';
import { handOver } from './transfer.ts';
import { after, before, higher, type Index, lower, type Peer, type Term, term0 } from './types.ts';
import type { Work } from './work.ts';

/** Receives entries, or a heartbeat, from a leader (§5.3, Figure 2: AppendEntries RPC). */
export function onAppendEntries(work: Work, from: Peer, request: AppendEntries): Fault | undefined {
  const { draft } = work;
  if (request.term < draft.currentTerm) {
    send(work, from, refusal(draft.currentTerm, 0)); // A deposed leader: tell it the term (§5.1).
    return undefined;
  }
  if (draft.configurations.length === 0) return undefined; // It belongs to no cluster yet (rule 9).
  const follower = follow(work, from, request.term);
  if (follower === undefined) return fault('peer', 'twoLeaders', { term: request.term, leaderId: from.id });
  const isNewRound = request.round > follower.round;
  if (isNewRound) follower.round = request.round;
  if (draft.installing !== null) {
    follower.isReplyDue = true; // The log is about to be replaced: only the heartbeat counts.
    acknowledge(work, follower);
    return undefined;
  }
  const prevTerm = termAt(draft.log, request.prevLogIndex);
  const isMatch = request.prevLogIndex <= draft.log.startIndex || prevTerm === request.prevLogTerm;
  if (!isMatch) return refuse(work, follower, from, request);
  const conflict = storeEntries(work, follower, request.batches);
  if (conflict !== undefined) return conflict;
  const verified =
    request.batches.length > 0 ? lastOf(request.batches.at(-1) as EntryBatch) : request.prevLogIndex;
  follower.verifiedIndex = higher(follower.verifiedIndex, verified);
  const commitIndex = lower(request.leaderCommit, verified); // Rule 5.
  if (commitIndex > draft.commitIndex) advanceCommit(work, commitIndex);
  const isAnswered = work.batches !== undefined; // By the flush, as soon as that is done.
  if (isNewRound || (request.isReplyDue && !isAnswered)) follower.isReplyDue = true;
  acknowledge(work, follower);
  return undefined;
}

/** The logs differ at `prevLogIndex`: say so, with a hint that skips a whole term at once (§5.3). */
function refuse(
  work: Work,
  follower: FollowerDraft,
  leader: Peer,
  request: AppendEntries,
): Fault | undefined {
  const { draft } = work;
  const { prevLogIndex, prevLogTerm } = request;
  if (prevLogIndex <= draft.commitIndex) return replaces(draft, prevLogIndex, prevLogTerm);
  const hintIndex = lastNotAbove(draft.log, { index: before(prevLogIndex), term: prevLogTerm });
  const hintTerm = termAt(draft.log, hintIndex) ?? term0;
  sendWhenDurable(work, leader, {
    ...refusal(draft.currentTerm, follower.round),
    rejectedIndex: prevLogIndex,
    hintIndex,
    hintTerm,
  });
  return undefined;
}

/**
 * Appends what is not there yet. If an entry conflicts with a new one (same index, other term), it goes, and
 * all that follow it (§5.3) — never what is committed, and never for a message that is merely late (rule 4).
 */
function storeEntries(
  work: Work,
  follower: FollowerDraft,
  batches: readonly EntryBatch[],
): Fault | undefined {
  const { draft } = work;
  const fresh = freshOf(draft, batches);
  const first = fresh[0];
  if (first === undefined) return undefined;
  if (first.index <= draft.commitIndex) return replaces(draft, first.index, first.term);
  if (first.index <= follower.verifiedIndex) {
    // A leader never overwrites its own log (§5.3): this is another one.
    return fault('peer', 'twoLeaders', { term: draft.currentTerm, index: first.index });
  }
  if (first.index <= draft.log.lastIndex) truncateLogFrom(work, first.index);
  appendBatches(work, fresh);
  return adoptAll(draft, fresh);
}

/** Configurations take effect when appended (rule 8). */
function adoptAll(draft: Draft, batches: readonly EntryBatch[]): Fault | undefined {
  for (let at = 0; at < batches.length; at++) {
    const batch = batches[at] as EntryBatch;
    if (batch.kind === 'configuration' && adopt(draft, batch) === undefined)
      return fault('peer', 'malformedMessage', { index: batch.index, problem: 'not a configuration' });
  }
  return undefined;
}

/** The batches that are not in the log yet: once one is not, those that follow it are not either. */
function freshOf({ log }: Draft, batches: readonly EntryBatch[]): readonly EntryBatch[] {
  let held = 0;
  while (held < batches.length && isHeld(log, batches[held] as EntryBatch)) held += 1;
  return held === 0 ? batches : batches.slice(held);
}

function isHeld(log: LogIndex, batch: EntryBatch): boolean {
  const last = lastOf(batch);
  if (last <= log.startIndex) return true; // Compacted: applied long ago.
  return termAt(log, batch.index) === batch.term && termAt(log, last) === batch.term;
}

function replaces(draft: Draft, index: Index, term: Term): Fault {
  return fault('peer', 'committedEntryReplaced', { index, term, commitIndex: draft.commitIndex });
}

/** A follower answered this leader, in this term (§5.3). */
export function onAppendEntriesReply(
  work: Work,
  leader: LeaderDraft,
  from: Peer,
  reply: AppendEntriesReply,
): Fault | undefined {
  const { draft } = work;
  const place = placeOf(leader, from);
  if (place < 0) return undefined; // Not a member, or a store that is not the member's (rule 9).
  if (reply.matchIndex > draft.log.lastIndex) {
    return fault('peer', 'ackBeyondLog', { matchIndex: reply.matchIndex, lastIndex: draft.log.lastIndex });
  }
  const peer = edit(leader, place);
  peer.isActive = true;
  peer.isConnected = true; // Whatever the transport thinks: this came through.
  if (reply.round <= leader.round) peer.round = Math.max(peer.round, reply.round);
  if (reply.success) onAccepted(draft, peer, reply.matchIndex);
  else onRefused(draft, peer, reply);
  if (peer.state === 'probe' && !peer.isPaused) probe(work, leader, peer);
  else catchUp(work, peer);
  advanceCommitAsLeader(work, leader);
  if (draft.role !== leader) return undefined; // It has left the cluster: it speaks for nobody any more.
  announceCommit(work, leader); // This follower may have become idle with this answer.
  confirmReads(work, leader);
  handOver(work, leader);
  return undefined;
}

/** The follower's log is ours through `matchIndex`, on its disk. */
function onAccepted(draft: Draft, peer: ProgressDraft, matchIndex: Index): void {
  if (matchIndex > peer.matchIndex) {
    peer.matchIndex = matchIndex;
    peer.silentMs = 0;
    noteArrived(peer, matchIndex);
  }
  const hasSnapshot = peer.state === 'snapshot' && matchIndex >= draft.log.startIndex;
  if (hasSnapshot) becomeProbe(peer, after(matchIndex)); // The log can take over (rule 21).
  if (peer.state === 'probe' && matchIndex >= before(peer.nextIndex)) {
    peer.state = 'replicate';
    peer.isPaused = false;
  }
  peer.nextIndex = higher(peer.nextIndex, after(matchIndex));
}

/** The logs differ: go back to where they may agree, skipping whole terms (§5.3). */
function onRefused(draft: Draft, peer: ProgressDraft, reply: AppendEntriesReply): void {
  if (peer.state === 'snapshot') {
    if (reply.rejectedIndex !== peer.arrivedSnapshot?.snapshot.index) return;
    becomeProbe(peer, after(peer.matchIndex)); // It could not install it: begin anew with the next heartbeat.
    peer.isPaused = true;
    return;
  }
  const isStale = reply.rejectedIndex <= peer.matchIndex || reply.rejectedIndex >= peer.nextIndex;
  if (isStale) return;
  const agreed = lastNotAbove(draft.log, {
    index: lower(reply.hintIndex, before(reply.rejectedIndex)),
    term: reply.hintTerm,
  });
  becomeProbe(peer, after(higher(agreed, peer.matchIndex)));
}
