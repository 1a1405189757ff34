import type { LeaderDraft } from './draft.ts';
import { fault } from './fault.ts';
import type { ApplyRes } from './input.ts';
import { termAt } from './log.ts';
import { onConfigurationCommitted } from './membership.ts';
import type { Fault } from './output.ts';
import { placeOf } from './peers.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { confirmReads } from './reads.ts';
import { announceCommit } from './replication.ts';
import { dropped } from './shared-list.ts';
import { configurationOf, durableIndex, type PendingWrite } from './state.ts';
import { leave } from './transfer.ts';
import { higher, type Index, isSamePeer } from './types.ts';
import type { Work } from './work.ts';

/**
 * Commits the highest index that a majority holds, provided its entry is from this term.
 *
 * An entry from an earlier term is not safe on a majority alone: a later leader may still overwrite it
 * (§5.4.2, Figure 8). It commits together with the first entry of this term that lies above it.
 */
export function advanceCommitAsLeader(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  if (draft.commitIndex === draft.log.lastIndex) return; // Nothing is left to commit.
  const ownIndex = durableIndex(draft);
  const majorityIndex = quorumValue(configurationOf(draft), (voter) => {
    if (isSamePeer(voter, draft.self)) return ownIndex;
    const place = placeOf(leader, voter);
    return place < 0 ? 0 : (leader.peers[place] as Progress).matchIndex;
  }) as Index;
  if (majorityIndex <= draft.commitIndex) return;
  if (termAt(draft.log, majorityIndex) !== draft.currentTerm) return;
  advanceCommit(work, majorityIndex);
  announceCommit(work, leader);
  confirmReads(work, leader); // Those that waited for the first commit of this term.
  if (onConfigurationCommitted(work, leader) === 'leaves') leave(work, leader);
}

/** Everything through `commitIndex` is in the log for good: apply it. */
export function advanceCommit(work: Work, commitIndex: Index): void {
  const { draft } = work;
  draft.commitIndex = commitIndex;
  draft.applySeq += 1;
  work.outputs.push({ type: 'applyReq', seq: draft.applySeq, through: commitIndex });
}

/** The state machine got on: writes are answered once they are applied. */
export function onApplyRes(work: Work, response: ApplyRes): Fault | undefined {
  const { draft } = work;
  const { seq, appliedIndex } = response;
  if (seq > draft.applySeq) return fault('self', 'unknownCompletion', { seq, applySeq: draft.applySeq });
  if (appliedIndex > draft.commitIndex || response.durableIndex > appliedIndex) {
    const { durableIndex: durable } = response;
    return fault('self', 'appliedBeyondRequest', {
      appliedIndex,
      durableIndex: durable,
      commitIndex: draft.commitIndex,
    });
  }
  draft.lastApplied = higher(draft.lastApplied, appliedIndex);
  answerWrites(work);
  return undefined;
}

function answerWrites(work: Work): void {
  const { draft } = work;
  const { writes } = draft;
  let answered = 0;
  for (; answered < writes.length; answered++) {
    const write = writes[answered] as PendingWrite;
    if (write.lastIndex > draft.lastApplied) break;
    draft.writeBytes -= write.bytes;
    const result = { type: 'committed', index: write.index, term: write.term } as const;
    work.outputs.push({ type: 'writeRes', id: write.id, result });
  }
  if (answered > 0) draft.writes = dropped(writes, answered);
}
