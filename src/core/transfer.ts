import { answerAdmin } from './admin.ts';
import { isVoter } from './configuration.ts';
import type { Draft, LeaderDraft } from './draft.ts';
import { send } from './durability.ts';
import type { TransferLeadership } from './input.ts';
import { isCaughtUp } from './membership.ts';
import type { Refusal } from './output.ts';
import { addressOf } from './peers.ts';
import type { Progress } from './progress.ts';
import { becomeFollower } from './role.ts';
import { configurationOf } from './state.ts';
import { isSamePeer } from './types.ts';
import type { Work } from './work.ts';

/**
 * Hands leadership over (thesis §3.10): new writes are refused, the successor is brought up to date, then it
 * is asked to stand for election at once. Given up after an election timeout (rule 19).
 */
export function onTransferLeadership(work: Work, leader: LeaderDraft, request: TransferLeadership): void {
  const { draft } = work;
  const refuse = (reason: Refusal) => answerAdmin(work, request.id, { type: 'refused', reason });
  if (leader.transfer !== null) {
    return refuse({
      type: 'busy',
      detail: `leadership is being handed over to ${leader.transfer.to.id} already`,
    });
  }
  if (request.to === draft.self.id) return answerAdmin(work, request.id, { type: 'ok' });
  const successor = successorOf(draft, leader, request.to);
  if (successor === undefined) {
    const who = request.to === undefined ? 'no other voter' : `${request.to} is not a voter that`;
    return refuse({ type: 'invalid', detail: `${who} is connected and could take over` });
  }
  leader.transfer = { id: request.id, to: addressOf(successor), elapsedMs: 0 };
  handOver(work, leader);
}

/**
 * The voter that is asked for, or the one that is furthest among those that answer: one that has stopped stays
 * connected, and would keep everybody waiting. `undefined` if there is none to hand over to.
 */
export function successorOf(draft: Draft, leader: LeaderDraft, id?: string): Progress | undefined {
  const configuration = configurationOf(draft);
  const able = leader.peers
    .filter((peer) => id === undefined || peer.id === id)
    .filter((peer) => peer.isConnected && isVoter(configuration, peer));
  const awake = able.filter((peer) => isCaughtUp(draft, leader, peer));
  const latest = awake.filter((peer) => peer.isActive); // The others had answered when CheckQuorum looked.
  const best = [latest, awake, able].find((peers) => peers.length > 0) ?? [];
  return best.sort((a, b) => b.matchIndex - a.matchIndex)[0];
}

/**
 * Asks the successor to stand, while it is a voter, as soon as it holds the whole log, the entry that completes a joint
 * change included: those who have that would not vote for one who does not. Asked again with each heartbeat.
 */
export function handOver(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  const { transfer } = leader;
  if (transfer === null) return;
  const configuration = configurationOf(draft);
  const isJoint = configuration.votersOutgoing.length > 0;
  if (isJoint || !isVoter(configuration, transfer.to)) return;
  const successor = leader.peers.find((peer) => isSamePeer(peer, transfer.to));
  if (successor?.matchIndex === draft.log.lastIndex) askToStand(work, successor);
}

/** TimeoutNow (thesis §3.10). */
export function askToStand(work: Work, successor: Progress): void {
  send(work, addressOf(successor), { type: 'timeoutNow', term: work.draft.currentTerm });
}

/** Gives up a transfer that takes too long, or whose successor is not a voter any more (rule 19). */
export function checkTransfer(work: Work, leader: LeaderDraft, elapsedMs: number): void {
  const { draft } = work;
  const { transfer } = leader;
  if (transfer === null) return;
  leader.transfer = { id: transfer.id, to: transfer.to, elapsedMs: transfer.elapsedMs + elapsedMs };
  const isOver = leader.transfer.elapsedMs >= draft.config.electionTimeoutMsMin;
  if (!isOver && isVoter(configurationOf(draft), transfer.to)) return;
  leader.transfer = null;
  if (transfer.id !== null) {
    const detail = isOver
      ? `${transfer.to.id} did not take over within ${draft.config.electionTimeoutMsMin} ms`
      : `${transfer.to.id} is not a voter any more`;
    answerAdmin(work, transfer.id, { type: 'refused', reason: { type: 'timeout', detail } });
  }
  if (leader.isLeaving) becomeFollower(work, draft.currentTerm, null);
}

/** A leader whose removal is committed hands over, and follows (§6, rule 20). A transfer under way will do. */
export function leave(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  leader.isLeaving = true;
  if (leader.transfer !== null) return;
  const successor = successorOf(draft, leader);
  if (successor === undefined) return becomeFollower(work, draft.currentTerm, null);
  leader.transfer = { id: null, to: addressOf(successor), elapsedMs: 0 };
  handOver(work, leader);
}
