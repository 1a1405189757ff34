import { answerAdmin } from './admin.ts';
import { onAppendEntries, onAppendEntriesReply } from './append-entries.ts';
import { onApplyRes } from './commit.ts';
import { onCompact, onCompactLogRes, onTakeSnapshotRes } from './compaction.ts';
import { copyState, type Draft } from './draft.ts';
import { persistChanges } from './durability.ts';
import {
  becomePreCandidate,
  canCampaign,
  onElectionTick,
  onPeerDown,
  onPeerUp,
  onPreVote,
  onPreVoteReply,
  onRequestVote,
  onRequestVoteReply,
  onTimeoutNow,
} from './election.ts';
import { fault } from './fault.ts';
import { onPersistRes } from './flush.ts';
import type {
  Campaign,
  ChangeMembers,
  Completion,
  Input,
  MessageReceived,
  Tick,
  TransferLeadership,
} from './input.ts';
import { problemOfInput } from './input-validation.ts';
import { onFollowerDown, onFollowerUp, onLeaderTick } from './leader.ts';
import { onMalformed } from './malformed.ts';
import { onChangeMembers } from './membership.ts';
import { isWithinReach, problemOfMessage } from './message-validation.ts';
import type { Fault, Output } from './output.ts';
import { onRead, onReadStateMachineRes } from './reads.ts';
import { onReadLogRes } from './replication.ts';
import { becomeFollower } from './role.ts';
import { onInstallSnapshot, onInstallSnapshotRes } from './snapshot-installing.ts';
import { onSendSnapshotRes } from './snapshot-sending.ts';
import type { State } from './state.ts';
import { onTransferLeadership } from './transfer.ts';
import { isSamePeer, type NodeId, type Term, unreachable } from './types.ts';
import type { Work } from './work.ts';
import { onWrite } from './writes.ts';

/** A node after one input, and what it asks of the world, in order. */
export interface Step {
  readonly state: State;
  readonly outputs: readonly Output[];
}

/**
 * The whole of Raft: what a node does when something happens.
 *
 * Deterministic, pure and total: the same state and input give the same result everywhere, neither is
 * changed, and no input makes it throw. What can't be yields the unchanged state and a `fault`. Takes time in
 * proportion to the number of peers, never to the length of the log.
 */
export function step(state: State, input: Input): Step {
  const outputs: Output[] = [];
  const draft = copyState(state);
  const work: Work = { draft, outputs, truncateFrom: undefined, batches: undefined };
  const problem = handle(work, input);
  if (problem !== undefined) return { state, outputs: [problem] };
  persistChanges(work);
  return { state: draft, outputs };
}

function handle(work: Work, input: Input): Fault | undefined {
  const problem = problemOfInput(input);
  if (problem !== undefined) return onMalformed(work, input, problem);
  switch (input.type) {
    case 'tick':
      onTick(work, input);
      return undefined;
    case 'write':
      onWrite(work, input);
      return undefined;
    case 'read':
      onRead(work, input);
      return undefined;
    case 'message':
      return onMessage(work, input);
    case 'campaign':
      onCampaign(work, input);
      return undefined;
    case 'changeMembers':
    case 'transferLeadership':
      onLeadersRequest(work, input);
      return undefined;
    case 'compact':
      onCompact(work, input);
      return undefined;
    case 'peerUp':
      onConnected(work, input.id);
      return undefined;
    case 'peerDown':
      onDisconnected(work.draft, input.id);
      return undefined;
    default:
      return onCompletion(work, input);
  }
}

/** Something that an output of this node asked for is done. */
function onCompletion(work: Work, input: Completion): Fault | undefined {
  const { role } = work.draft;
  switch (input.type) {
    case 'persistRes':
      return onPersistRes(work, input.seq);
    case 'readLogRes':
      return role.type === 'leader' ? onReadLogRes(work, role, input) : undefined;
    case 'applyRes':
      return onApplyRes(work, input);
    case 'readStateMachineRes':
      return onReadStateMachineRes(work, input);
    case 'takeSnapshotRes':
      return onTakeSnapshotRes(work, input);
    case 'compactLogRes':
      return onCompactLogRes(work, input);
    case 'sendSnapshotRes':
      return role.type === 'leader' ? onSendSnapshotRes(work, role, input) : undefined;
    case 'installSnapshotRes':
      return onInstallSnapshotRes(work, input);
    default:
      return unreachable(input); // Validation has turned it away.
  }
}

/** The transport has a connection with this node again. */
function onConnected(work: Work, id: NodeId): void {
  const { draft } = work;
  draft.downPeers = draft.downPeers.filter((other) => other !== id);
  if (draft.role.type === 'leader') onFollowerUp(work, draft.role, id);
  else onPeerUp(draft, id);
}

/** The transport has no connection with this node any more. */
function onDisconnected(draft: Draft, id: NodeId): void {
  if (!draft.downPeers.includes(id)) draft.downPeers = [...draft.downPeers, id];
  if (draft.role.type === 'leader') onFollowerDown(draft.role, id);
  else onPeerDown(draft, id);
}

/**
 * Time passes. Election timers advance by at most two tick intervals: a larger gap means that the process
 * slept, and must not start a burst of elections (design §3).
 */
function onTick(work: Work, { now }: Tick): void {
  const { draft } = work;
  if (now <= draft.now) return;
  if (draft.now === 0) draft.lastAppendAtMs = now; // The first tick: the log's clock goes on from here.
  const elapsedMs = Math.min(now - draft.now, 2 * draft.config.tickIntervalMs);
  draft.now = now;
  draft.flushElapsedMs = draft.durableSeq < draft.persistSeq ? draft.flushElapsedMs + elapsedMs : 0;
  if (draft.role.type === 'leader') onLeaderTick(work, draft.role, elapsedMs);
  else onElectionTick(work, elapsedMs);
}

/** A peer's message. Each kind says for itself what a newer term means (§5.1), since a pre-vote's means nothing. */
function onMessage(work: Work, { from, message }: MessageReceived): Fault | undefined {
  const { draft } = work;
  const problem = problemOfMessage(message);
  if (problem !== undefined) return fault('peer', 'malformedMessage', { from: from.id, problem });
  if (isSamePeer(from, draft.self)) {
    return fault('peer', 'malformedMessage', { from: from.id, problem: 'it claims to come from this node' });
  }
  const { currentTerm } = draft;
  if (!isWithinReach(message.term, currentTerm))
    return fault('peer', 'termBeyondReach', { from: from.id, term: message.term, currentTerm });
  switch (message.type) {
    case 'preVote':
      onPreVote(work, from, message);
      return undefined;
    case 'preVoteReply':
      if (!message.voteGranted) stepDownIfStale(work, message);
      onPreVoteReply(work, from, message);
      return undefined;
    case 'requestVote':
      onRequestVote(work, from, message);
      return undefined;
    case 'requestVoteReply':
      stepDownIfStale(work, message);
      onRequestVoteReply(work, from, message);
      return undefined;
    case 'appendEntries':
      return onAppendEntries(work, from, message);
    case 'appendEntriesReply':
      stepDownIfStale(work, message);
      if (draft.role.type !== 'leader' || message.term !== draft.currentTerm) return undefined; // Late.
      return onAppendEntriesReply(work, draft.role, from, message);
    case 'timeoutNow':
      onTimeoutNow(work, from, message);
      return undefined;
    case 'installSnapshot':
      return onInstallSnapshot(work, from, message);
    default:
      return unreachable(message); // Validation has turned it away.
  }
}

/** A reply shows a newer term: "convert to follower" (§5.1). */
function stepDownIfStale(work: Work, reply: { readonly term: Term }): void {
  if (reply.term > work.draft.currentTerm) becomeFollower(work, reply.term, null);
}

/** Only a leader changes the members or hands over. */
function onLeadersRequest(work: Work, request: ChangeMembers | TransferLeadership): void {
  const { role } = work.draft;
  if (role.type === 'leader') {
    if (request.type === 'changeMembers') onChangeMembers(work, role, request);
    else onTransferLeadership(work, role, request);
    return;
  }
  const leaderId = role.type === 'follower' ? (role.leader?.id ?? null) : null;
  answerAdmin(work, request.id, { type: 'refused', reason: { type: 'notLeader', leaderId } });
}

/** The operator wants this node to lead: it asks for pre-votes now. */
function onCampaign(work: Work, { id }: Campaign): void {
  const { draft } = work;
  if (canCampaign(draft)) {
    work.outputs.push({ type: 'adminRes', id, result: { type: 'ok' } });
    return becomePreCandidate(work);
  }
  const detail =
    draft.role.type === 'leader'
      ? 'this node leads already'
      : 'this node can not stand for election now: it is no voter, its disk hangs, it is installing a snapshot, or no term is left';
  work.outputs.push({
    type: 'adminRes',
    id,
    result: { type: 'refused', reason: { type: 'invalid', detail } },
  });
}
