import { answerAdmin } from './admin.ts';
import { onAppendEntries, onAppendEntriesReply } from './append-entries.ts';
import { onApplyRes } from './commit.ts';
import { onCompact, onCompactLogRes, onTakeSnapshotRes } from './compaction.ts';
import { Draft } from './draft.ts';
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
  const draft = new Draft(state, outputs);
  const problem = handle(draft, input);
  if (problem !== undefined) return { state, outputs: [problem] };
  persistChanges(draft);
  return { state: draft.next, outputs };
}

function handle(draft: Draft, input: Input): Fault | undefined {
  const problem = problemOfInput(input);
  if (problem !== undefined) return onMalformed(draft, input, problem);
  switch (input.type) {
    case 'tick':
      onTick(draft, input);
      return undefined;
    case 'write':
      onWrite(draft, input);
      return undefined;
    case 'read':
      onRead(draft, input);
      return undefined;
    case 'message':
      return onMessage(draft, input);
    case 'campaign':
      onCampaign(draft, input);
      return undefined;
    case 'changeMembers':
    case 'transferLeadership':
      onLeadersRequest(draft, input);
      return undefined;
    case 'compact':
      onCompact(draft, input);
      return undefined;
    case 'peerUp':
      onConnected(draft, input.id);
      return undefined;
    case 'peerDown':
      onDisconnected(draft, input.id);
      return undefined;
    default:
      return onCompletion(draft, input);
  }
}

/** Something that an output of this node asked for is done. */
function onCompletion(draft: Draft, input: Completion): Fault | undefined {
  const { role } = draft;
  switch (input.type) {
    case 'persistRes':
      return onPersistRes(draft, input.seq);
    case 'readLogRes':
      return role.type === 'leader' ? onReadLogRes(draft, role, input) : undefined;
    case 'applyRes':
      return onApplyRes(draft, input);
    case 'readStateMachineRes':
      return onReadStateMachineRes(draft, input);
    case 'takeSnapshotRes':
      return onTakeSnapshotRes(draft, input);
    case 'compactLogRes':
      return onCompactLogRes(draft, input);
    case 'sendSnapshotRes':
      return role.type === 'leader' ? onSendSnapshotRes(draft, role, input) : undefined;
    case 'installSnapshotRes':
      return onInstallSnapshotRes(draft, input);
    default:
      return unreachable(input); // Validation has turned it away.
  }
}

/** The transport has a connection with this node again. */
function onConnected(draft: Draft, id: NodeId): void {
  draft.downPeers = draft.downPeers.filter((other) => other !== id);
  if (draft.role.type === 'leader') onFollowerUp(draft, draft.role, id);
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
function onTick(draft: Draft, { now }: Tick): void {
  if (now <= draft.now) return;
  if (draft.now === 0) draft.lastAppendAtMs = now; // The first tick: the log's clock goes on from here.
  const elapsedMs = Math.min(now - draft.now, 2 * draft.config.tickIntervalMs);
  draft.now = now;
  draft.flushElapsedMs = draft.durableSeq < draft.persistSeq ? draft.flushElapsedMs + elapsedMs : 0;
  if (draft.role.type === 'leader') onLeaderTick(draft, draft.role, elapsedMs);
  else onElectionTick(draft, elapsedMs);
}

/** A peer's message. Each kind says for itself what a newer term means (§5.1), since a pre-vote's means nothing. */
function onMessage(draft: Draft, { from, message }: MessageReceived): Fault | undefined {
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
      onPreVote(draft, from, message);
      return undefined;
    case 'preVoteReply':
      if (!message.voteGranted) stepDownIfStale(draft, message);
      onPreVoteReply(draft, from, message);
      return undefined;
    case 'requestVote':
      onRequestVote(draft, from, message);
      return undefined;
    case 'requestVoteReply':
      stepDownIfStale(draft, message);
      onRequestVoteReply(draft, from, message);
      return undefined;
    case 'appendEntries':
      return onAppendEntries(draft, from, message);
    case 'appendEntriesReply':
      stepDownIfStale(draft, message);
      if (draft.role.type !== 'leader' || message.term !== draft.currentTerm) return undefined; // Late.
      return onAppendEntriesReply(draft, draft.role, from, message);
    case 'timeoutNow':
      onTimeoutNow(draft, from, message);
      return undefined;
    case 'installSnapshot':
      return onInstallSnapshot(draft, from, message);
    default:
      return unreachable(message); // Validation has turned it away.
  }
}

/** A reply shows a newer term: "convert to follower" (§5.1). */
function stepDownIfStale(draft: Draft, reply: { readonly term: Term }): void {
  if (reply.term > draft.currentTerm) becomeFollower(draft, reply.term, null);
}

/** Only a leader changes the members or hands over. */
function onLeadersRequest(draft: Draft, request: ChangeMembers | TransferLeadership): void {
  const { role } = draft;
  if (role.type === 'leader') {
    if (request.type === 'changeMembers') onChangeMembers(draft, role, request);
    else onTransferLeadership(draft, role, request);
    return;
  }
  const leaderId = role.type === 'follower' ? (role.leader?.id ?? null) : null;
  answerAdmin(draft, request.id, { type: 'refused', reason: { type: 'notLeader', leaderId } });
}

/** The operator wants this node to lead: it asks for pre-votes now. */
function onCampaign(draft: Draft, { id }: Campaign): void {
  if (canCampaign(draft)) {
    draft.outputs.push({ type: 'adminRes', id, result: { type: 'ok' } });
    return becomePreCandidate(draft);
  }
  const detail =
    draft.role.type === 'leader'
      ? 'this node leads already'
      : 'this node can not stand for election now: it is no voter, its disk hangs, it is installing a snapshot, or no term is left';
  draft.outputs.push({
    type: 'adminRes',
    id,
    result: { type: 'refused', reason: { type: 'invalid', detail } },
  });
}
