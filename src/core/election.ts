import { isVoter, membersOf } from './configuration.ts';
import type { Draft } from './draft.ts';
import { isHardStateDurable, send, sendWhenDurable, setTerm, setVote } from './durability.ts';
import { canStillWin, waitShortly } from './failover.ts';
import { becomeLeader } from './leader.ts';
import { isAtLeastAsComplete, lastTerm } from './log.ts';
import type { Message, PreVote, PreVoteReply, RequestVote, RequestVoteReply, TimeoutNow } from './message.ts';
import { isQuorum } from './quorum.ts';
import { becomeFollower, restartElectionTimer } from './role.ts';
import { configurationOf } from './state.ts';
import { after, isSamePeer, type NodeId, type Peer } from './types.ts';
import { isCount } from './well-formed.ts';
import type { Work } from './work.ts';

/** Time passes for a node that does not lead: without a leader it stands for election (§5.2). */
export function onElectionTick(work: Work, elapsedMs: number): void {
  const { draft } = work;
  draft.electionElapsedMs += elapsedMs;
  if (draft.electionElapsedMs < draft.electionTimeoutMs) return;
  if (canCampaign(draft)) return becomePreCandidate(work);
  becomeFollower(work, draft.currentTerm, null); // It waits for nobody in particular, and sticks to nobody.
  restartElectionTimer(draft);
}

/**
 * Only voters stand for election, and only with a disk that keeps up: a term that is never durable helps nobody.
 * Who leaves is a voter until the entry that says so is committed: perhaps nobody else holds it (thesis §4.2.2).
 * Nobody stands in the last term that there is: to all others, the next one would be malformed.
 */
export function canCampaign(draft: Draft): boolean {
  const isDiskHung = draft.flushElapsedMs >= draft.config.electionTimeoutMsMin;
  const isFree = draft.role.type !== 'leader' && draft.installing === null && !isDiskHung;
  const hasNextTerm = isCount(after(draft.currentTerm));
  return isFree && hasNextTerm && mayBeNeeded(draft);
}

/** Whether it votes in the configuration in effect, or in one that may yet come back into effect. */
function mayBeNeeded({ configurations, commitIndex, self }: Draft): boolean {
  const committed = configurations.findLastIndex((at) => at.index <= commitIndex);
  return configurations.slice(Math.max(0, committed)).some((at) => isVoter(at.configuration, self));
}

/**
 * Asks whether it could win, without disturbing anyone: term and vote stay (thesis §9.6). Its own vote
 * needs no disk, since a pre-vote promises nothing.
 */
export function becomePreCandidate(work: Work): void {
  const { draft } = work;
  restartElectionTimer(draft);
  const votes = withVote(draft, [], draft.self);
  draft.role = { type: 'preCandidate', votes, declined: [] };
  const request: PreVote = { type: 'preVote', term: after(draft.currentTerm), ...lastEntryOf(draft) };
  for (const peer of otherVoters(draft)) send(work, peer, request);
  if (hasWon(draft, votes)) becomeCandidate(work);
}

/** Stands for election in a new term (§5.2): votes for itself, and asks once that is durable (rule 1). */
export function becomeCandidate(work: Work, isTransfer = false): void {
  const { draft } = work;
  restartElectionTimer(draft);
  setTerm(draft, after(draft.currentTerm));
  setVote(draft, draft.self);
  draft.role = { type: 'candidate', votes: [], declined: [] };
  const request: RequestVote = {
    type: 'requestVote',
    term: draft.currentTerm,
    isTransfer,
    ...lastEntryOf(draft),
  };
  for (const peer of otherVoters(draft)) sendWhenDurable(work, peer, request);
}

/** A candidate's own vote counts once its disk has it (rule 2). */
export function countOwnVote(work: Work): void {
  const { draft } = work;
  if (isHardStateDurable(draft)) countVote(work, draft.self);
}

/** The leader hands over to this node: no pre-vote, since the leader itself makes way (thesis §3.10). */
export function onTimeoutNow(work: Work, from: Peer, request: TimeoutNow): void {
  const { draft } = work;
  const { role } = draft;
  const isFromLeader = role.type === 'follower' && isSamePeer(role.leader, from);
  if (request.term === draft.currentTerm && isFromLeader && canCampaign(draft)) becomeCandidate(work, true);
}

/**
 * Answers a pre-vote: yes, if the sender could win here, and no leader is about. A request of a lower
 * term is answered too, so that its sender learns the term (rule 16). No vote, term or timer changes (rule 7).
 */
export function onPreVote(work: Work, from: Peer, request: PreVote): void {
  const { draft } = work;
  const isNewer = request.term > draft.currentTerm;
  const voteGranted =
    isNewer && !isSticky(draft) && hasConfiguration(draft) && isAtLeastAsComplete(request, draft.log);
  const term = voteGranted ? request.term : draft.currentTerm;
  send(work, from, { type: 'preVoteReply', term, voteGranted });
}

/** Counts a pre-vote for the term it was asked for; enough of them, and the election begins. */
export function onPreVoteReply(work: Work, from: Peer, reply: PreVoteReply): void {
  const { draft } = work;
  if (draft.role.type !== 'preCandidate') return; // Late.
  if (!reply.voteGranted) return countDeclined(draft, from);
  if (reply.term !== after(draft.currentTerm)) return;
  const votes = withVote(draft, draft.role.votes, from);
  draft.role.votes = votes;
  if (hasWon(draft, votes)) becomeCandidate(work);
}

/**
 * Answers a candidate: at most one vote a term, first come first served, and only for a log at least as
 * complete as ours (§5.2, §5.4.1). Whoever hears from a leader takes no part (thesis §4.2.3).
 */
export function onRequestVote(work: Work, from: Peer, request: RequestVote): void {
  const { draft } = work;
  if (request.term > draft.currentTerm) {
    if (isSticky(draft) && !request.isTransfer) return; // A disruptive server: the leader we have is alive.
    becomeFollower(work, request.term, null);
  }
  const isCurrent = request.term === draft.currentTerm;
  const isFree = draft.votedFor === null || isSamePeer(draft.votedFor, from);
  const voteGranted =
    isCurrent &&
    isFree &&
    (draft.role.type === 'follower' || draft.role.type === 'preCandidate') &&
    hasConfiguration(draft) &&
    isAtLeastAsComplete(request, draft.log);
  const reply: Message = { type: 'requestVoteReply', term: draft.currentTerm, voteGranted };
  if (!voteGranted) return send(work, from, reply); // Promises nothing.
  if (draft.role.type === 'preCandidate') becomeFollower(work, draft.currentTerm, null);
  if (draft.votedFor === null) setVote(draft, from);
  restartElectionTimer(draft); // Having helped a candidate, give it time to win (§5.2).
  sendWhenDurable(work, from, reply);
}

/** Counts a vote of this term; a majority of them makes a leader (§5.2). */
export function onRequestVoteReply(work: Work, from: Peer, reply: RequestVoteReply): void {
  const { draft } = work;
  if (reply.term !== draft.currentTerm) return; // Late.
  if (reply.voteGranted) countVote(work, from);
  else countDeclined(draft, from);
}

/**
 * Notes who has declined. While the connection to the leader is down, an election that is lost by that is no reason
 * to wait for the end of the timeout: a split vote, or somebody who has not missed the leader yet.
 */
function countDeclined(draft: Draft, voter: Peer): void {
  const { role } = draft;
  if (role.type !== 'preCandidate' && role.type !== 'candidate') return; // Late.
  const wasLost = !canStillWin(draft, role);
  role.declined = withVote(draft, role.declined, voter);
  const isLost = !canStillWin(draft, role);
  if (isLost && !wasLost && draft.failovers > 0) waitShortly(draft);
}

function countVote(work: Work, voter: Peer): void {
  const { draft } = work;
  if (draft.role.type !== 'candidate') return; // Late: already elected, or already given up.
  const votes = withVote(draft, draft.role.votes, voter);
  draft.role.votes = votes;
  if (hasWon(draft, votes)) becomeLeader(work);
}

/**
 * Whether this node sticks to a leader, its own leadership included: it heard from one within the shortest
 * election timeout, and the transport has not seen the connection to it break (thesis §4.2.3, design §4).
 */
function isSticky(draft: Draft): boolean {
  const { role } = draft;
  if (role.type === 'leader') return true; // CheckQuorum steps down a leader that lost its followers.
  if (role.type !== 'follower' || role.leader === null || role.isLeaderDown) return false;
  return draft.electionElapsedMs < draft.config.electionTimeoutMsMin;
}

/** The transport lost a node. If it led, do not wait for the election timeout (fast failover, design §4). */
export function onPeerDown(draft: Draft, id: NodeId): void {
  const { role } = draft;
  if (role.type !== 'follower' || role.leader?.id !== id || role.isLeaderDown) return;
  role.isLeaderDown = true;
  if (canCampaign(draft)) waitShortly(draft);
}

/** The transport has the leader back: wait for its heartbeats as before. */
export function onPeerUp(draft: Draft, id: NodeId): void {
  const { role } = draft;
  if (role.type !== 'follower' || role.leader?.id !== id || !role.isLeaderDown) return;
  role.isLeaderDown = false;
  draft.failovers = 0;
  restartElectionTimer(draft);
}

function hasWon(draft: Draft, votes: readonly Peer[]): boolean {
  return isQuorum(configurationOf(draft), (voter) => votes.some((vote) => isSamePeer(vote, voter)));
}

/** Only a voter's vote is kept, by name and store, and only once (rules 7 and 9). */
function withVote(draft: Draft, votes: readonly Peer[], voter: Peer): readonly Peer[] {
  const hasVoted = votes.some((vote) => isSamePeer(vote, voter));
  return hasVoted || !isVoter(configurationOf(draft), voter) ? votes : [...votes, voter];
}

function lastEntryOf(draft: Draft): Pick<RequestVote, 'lastLogIndex' | 'lastLogTerm'> {
  return { lastLogIndex: draft.log.lastIndex, lastLogTerm: lastTerm(draft.log) };
}

function otherVoters(draft: Draft): readonly Peer[] {
  const configuration = configurationOf(draft);
  return membersOf(configuration).filter(
    (member) => isVoter(configuration, member) && !isSamePeer(member, draft.self),
  );
}

/** A node that holds no configuration does not vote (rule 9). */
function hasConfiguration(draft: Draft): boolean {
  return draft.configurations.length > 0;
}
