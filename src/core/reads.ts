import type { LeaderDraft } from './draft.ts';
import { fault } from './fault.ts';
import type { Read, ReadStateMachineRes } from './input.ts';
import type { Fault, Refusal } from './output.ts';
import { placeOf } from './peers.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { sendHeartbeats } from './replication.ts';
import type { PendingRead } from './role-state.ts';
import { configurationOf } from './state.ts';
import { index0, isSamePeer, type RequestId } from './types.ts';
import type { Work } from './work.ts';

/** A linearizable read: queued until a round of heartbeats has shown that this leader still leads (§8). */
export function onRead(work: Work, read: Read): void {
  const { draft } = work;
  const { role } = draft;
  if (role.type !== 'leader') {
    const leaderId = role.type === 'follower' ? (role.leader?.id ?? null) : null;
    return refuseRead(work, read.id, { type: 'notLeader', leaderId });
  }
  if (role.reads.length + draft.queries.length >= draft.config.pendingReadsMax)
    return refuseRead(work, read.id, { type: 'overloaded' });
  role.reads = [...role.reads, { id: read.id, payload: read.payload, round: 0, index: index0 }];
  confirmReads(work, role);
}

/** Answers a read with the reason why it was not carried out. */
export function refuseRead(work: Work, id: RequestId, reason: Refusal): void {
  work.outputs.push({ type: 'readRes', id, result: { type: 'refused', reason } });
}

/**
 * ReadIndex (thesis §6.4). Reads whose round a majority has answered go to the state machine; when none is
 * under way, the next round begins for all that queued meanwhile: it takes the commit index, and asks.
 *
 * Only after a commit in this term, since before it the leader does not know which entries are committed
 * (§8); confirmed by the leader's own counter, never by a caller's id (rule 10).
 */
export function confirmReads(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  if (leader.reads.length === 0 || draft.commitIndex < leader.readyIndex) return;
  releaseConfirmed(work, leader);
  const isRoundUnderWay = (leader.reads[0]?.round ?? 0) > 0;
  if (isRoundUnderWay || leader.reads.length === 0) return;
  leader.round += 1;
  leader.reads = leader.reads.map(({ id, payload }) => ({
    id,
    payload,
    round: leader.round,
    index: draft.commitIndex,
  }));
  sendHeartbeats(work, leader);
  releaseConfirmed(work, leader); // A cluster of one needs no answer.
}

function releaseConfirmed(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  const confirmedRound = quorumValue(configurationOf(draft), (voter) => {
    if (isSamePeer(voter, draft.self)) return leader.round;
    const place = placeOf(leader, voter);
    return place < 0 ? 0 : (leader.peers[place] as Progress).round;
  });
  const isConfirmed = (read: PendingRead) => read.round > 0 && read.round <= confirmedRound;
  const confirmed = leader.reads.filter(isConfirmed);
  if (confirmed.length === 0) return;
  leader.reads = leader.reads.filter((read) => !isConfirmed(read));
  draft.queries = [...draft.queries, ...confirmed.map((read) => read.id)];
  for (const { id, index, payload } of confirmed) {
    work.outputs.push({ type: 'readStateMachineReq', id, index, ...(payload && { payload }) });
  }
}

/** The state machine has answered a query. */
export function onReadStateMachineRes(work: Work, response: ReadStateMachineRes): Fault | undefined {
  const { draft } = work;
  const { id, payload } = response;
  if (!draft.queries.includes(id)) return fault('self', 'unknownCompletion', { id });
  draft.queries = draft.queries.filter((query) => query !== id);
  work.outputs.push({ type: 'readRes', id, result: { type: 'ok', ...(payload && { payload }) } });
  return undefined;
}
