import type { Draft, FollowerDraft } from './draft.ts';
import { send, sendWhenDurable } from './durability.ts';
import { fault } from './fault.ts';
import { acknowledge, follow, refusal } from './following.ts';
import type { InstallSnapshotRes } from './input.ts';
import { compactThrough, resetTo, termAt } from './log.ts';
import type { InstallSnapshot, SnapshotMeta } from './message.ts';
import type { Fault } from './output.ts';
import type { Unflushed } from './state.ts';
import { after, higher, type Index, type Peer, type Term } from './types.ts';
import type { Work } from './work.ts';

/**
 * Receives a snapshot whose chunks are on this node's disk (§7). One at or below the commit index is refused:
 * the answer says what this node has instead (rule 12).
 */
export function onInstallSnapshot(work: Work, from: Peer, request: InstallSnapshot): Fault | undefined {
  const { draft } = work;
  if (request.term < draft.currentTerm) {
    send(work, from, refusal(draft.currentTerm, 0));
    return undefined;
  }
  const follower = follow(work, from, request.term);
  if (follower === undefined) return fault('peer', 'twoLeaders', { term: request.term, leaderId: from.id });
  const { snapshot, transferId } = request;
  if (draft.installing !== null) return undefined; // Asked again: the answer comes when it is done.
  if (snapshot.index <= draft.commitIndex) {
    follower.isReplyDue = true;
    acknowledge(work, follower);
    return undefined;
  }
  const contradiction = contradictionOf(draft, follower, snapshot);
  if (contradiction !== undefined) return contradiction;
  draft.snapshotSeq += 1;
  draft.installing = { seq: draft.snapshotSeq, snapshot };
  work.outputs.push({
    type: 'installSnapshotReq',
    seq: draft.snapshotSeq,
    transferId,
    snapshot,
    keepsSuffix: termAt(draft.log, snapshot.index) === snapshot.term,
  });
  return undefined;
}

/**
 * What speaks against a snapshot: an entry that is committed here, or one that this leader's own log was seen to
 * hold. Terms never fall along a log (§5.3), and a leader never overwrites its own (rule 12).
 */
function contradictionOf(draft: Draft, follower: FollowerDraft, snapshot: SnapshotMeta): Fault | undefined {
  const { index, term } = snapshot;
  const { log, commitIndex, currentTerm } = draft;
  if (term < (termAt(log, commitIndex) as Term))
    return fault('peer', 'committedEntryReplaced', { index, term, commitIndex });
  const isSeen = index <= follower.verifiedIndex;
  const seenTerm = termAt(log, isSeen ? index : follower.verifiedIndex) as Term;
  const isSame = isSeen ? term === seenTerm : term >= seenTerm;
  return isSame ? undefined : fault('peer', 'twoLeaders', { term: currentTerm, index });
}

/** The switch is durable: log start, configuration, commit and applied index go along at once (rule 12). */
export function onInstallSnapshotRes(work: Work, response: InstallSnapshotRes): Fault | undefined {
  const { draft } = work;
  const { installing } = draft;
  if (installing?.seq !== response.seq) return fault('self', 'unknownCompletion', { seq: response.seq });
  draft.installing = null;
  const { snapshot } = installing;
  if (!response.isInstalled) {
    refuseSnapshot(work, snapshot.index);
    return undefined;
  }
  const keepsSuffix = termAt(draft.log, snapshot.index) === snapshot.term;
  draft.log = keepsSuffix ? compactThrough(draft.log, snapshot.index) : resetTo(snapshot);
  if (draft.log.lastIndex === snapshot.index) draft.lastAppendAtMs = draft.now; // Its clock goes on from here.
  const later = keepsSuffix ? draft.configurations.filter((at) => at.index > snapshot.index) : [];
  draft.configurations = [snapshot.configuration, ...later];
  draft.commitIndex = higher(draft.commitIndex, snapshot.index);
  draft.lastApplied = higher(draft.lastApplied, snapshot.index);
  draft.snapshotIndex = higher(draft.snapshotIndex, snapshot.index);
  forgetWrites(work, snapshot.index);
  draft.unflushed = keepsSuffix ? unflushedAfter(draft, snapshot.index) : [];
  if (draft.role.type !== 'follower') return undefined;
  draft.role.verifiedIndex = higher(draft.role.verifiedIndex, snapshot.index);
  draft.role.isReplyDue = true;
  acknowledge(work, draft.role);
  return undefined;
}

/** What is still to be flushed of the entries after a snapshot: the log before it is not asked for any more. */
function unflushedAfter({ unflushed, log }: Draft, index: Index): readonly Unflushed[] {
  const first = after(index);
  if (log.lastIndex < first) return [];
  const before = unflushed.filter((request) => request.firstIndex <= first).at(-1);
  const later = unflushed.filter((request) => request.firstIndex > first);
  return before === undefined ? later : [{ seq: before.seq, firstIndex: first }, ...later];
}

/** Its chunks were not here after all: the leader begins anew. */
function refuseSnapshot(work: Work, rejectedIndex: Index): void {
  const { draft } = work;
  if (draft.role.type !== 'follower' || draft.role.leader === null) return;
  sendWhenDurable(work, draft.role.leader, {
    ...refusal(draft.currentTerm, draft.role.round),
    rejectedIndex,
  });
}

/** Writes of an earlier leadership that the snapshot covers were not applied here: their results are not known. */
function forgetWrites(work: Work, index: Index): void {
  const { draft } = work;
  for (const write of draft.writes) {
    if (write.lastIndex > index) break;
    draft.writeBytes -= write.bytes;
    work.outputs.push({ type: 'writeRes', id: write.id, result: { type: 'unknown' } });
  }
  draft.writes = draft.writes.filter((write) => write.lastIndex > index);
}
