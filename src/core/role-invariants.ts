import { firstBroken, isAscending } from './claims.ts';
import { membersOf } from './configuration.ts';
import { lastTerm, termAt } from './log.ts';
import type { Progress } from './progress.ts';
import { isQuorum } from './quorum.ts';
import type { Candidate, Follower, Leader, PreCandidate } from './role-state.ts';
import { configurationOf, type State } from './state.ts';
import { isSamePeer, type Peer } from './types.ts';

/**
 * What is wrong with the role of a node, in words; `undefined` if nothing is. `since` is an earlier state in which
 * nothing was wrong.
 */
export function checkRole(state: State, since?: State): string | undefined {
  const { role } = state;
  switch (role.type) {
    case 'follower':
      return isSameFollower(state, role, since) ? undefined : checkFollower(state, role);
    case 'leader':
      return (
        (isSameLeader(state, role, since) ? undefined : checkLeader(state, role)) ??
        checkPeers(state, role, since)
      );
    default:
      return areSameVotes(state, role, since) ? undefined : checkVotes(state, role.type, role.votes);
  }
}

function isSameFollower({ log, commitIndex }: State, role: Follower, since: State | undefined): boolean {
  const was = since?.role;
  return (
    was?.type === 'follower' &&
    log === since?.log &&
    commitIndex === since.commitIndex &&
    role.verifiedIndex === was.verifiedIndex &&
    role.ackedIndex === was.ackedIndex &&
    role.leader === was.leader &&
    role.round === was.round
  );
}

function areSameVotes(
  state: State,
  { type, votes }: PreCandidate | Candidate,
  since: State | undefined,
): boolean {
  const was = since?.role;
  return (
    (was?.type === 'candidate' || was?.type === 'preCandidate') &&
    type === was.type &&
    votes === was.votes &&
    state.configurations === since?.configurations &&
    state.votedFor === since.votedFor &&
    state.durableSeq === since.durableSeq &&
    state.hardStateSeq === since.hardStateSeq
  );
}

/** What only counts up, here and in what it is compared with, is checked with the progress of each follower. */
function isSameLeader(state: State, role: Leader, since: State | undefined): boolean {
  const was = since?.role;
  return (
    was?.type === 'leader' &&
    state.log === since?.log &&
    state.commitIndex === since.commitIndex &&
    state.configurations === since.configurations &&
    state.currentTerm === since.currentTerm &&
    state.votedFor === since.votedFor &&
    role.reads === was.reads &&
    role.readyIndex === was.readyIndex &&
    role.settledIndex === was.settledIndex &&
    role.changeId === was.changeId &&
    role.transfer === was.transfer &&
    role.isLeaving === was.isLeaving &&
    arePeersOf(role.peers, was.peers)
  );
}

function arePeersOf(peers: readonly Progress[], were: readonly Progress[]): boolean {
  if (peers === were) return true;
  return peers.length === were.length && peers.every((peer, place) => isSamePeer(peer, were[place] ?? null));
}

function checkFollower({ log, commitIndex }: State, follower: Follower): string | undefined {
  const { verifiedIndex, ackedIndex, leader, round } = follower;
  return firstBroken([
    [verifiedIndex <= log.lastIndex, () => `verified through ${verifiedIndex}, beyond ${log.lastIndex}`],
    [verifiedIndex >= commitIndex, () => `commitIndex ${commitIndex} is above the verified ${verifiedIndex}`],
    [ackedIndex <= verifiedIndex, () => `acknowledged ${ackedIndex}, verified ${verifiedIndex}`],
    [leader !== null || (ackedIndex === 0 && round === 0), 'acknowledged to nobody'],
  ]);
}

function checkVotes(state: State, type: string, votes: readonly Peer[]): string | undefined {
  const configuration = configurationOf(state);
  const has = (peer: Peer) => votes.some((vote) => isSamePeer(vote, peer));
  const ownVoteIsDurable = isSamePeer(state.votedFor, state.self) && state.durableSeq >= state.hardStateSeq;
  const members = membersOf(configuration);
  return firstBroken([
    [votes.every((vote) => members.some((member) => isSamePeer(member, vote))), 'a vote is not a member’s'],
    [
      votes.every((vote, at) => votes.findIndex((other) => isSamePeer(vote, other)) === at),
      'a vote counts twice',
    ],
    [!isQuorum(configuration, has), () => `a ${type} with a majority of votes does not go on`],
    [type !== 'candidate' || isSamePeer(state.votedFor, state.self), 'a candidate has not voted for itself'],
    [
      type !== 'candidate' || !has(state.self) || ownVoteIsDurable,
      'a vote of its own counts before it is durable',
    ],
  ]);
}

function checkLeader(state: State, leader: Leader): string | undefined {
  const { log, currentTerm } = state;
  const { readyIndex } = leader;
  const rounds = leader.reads.map((read) => read.round);
  const problem = firstBroken([
    [isSamePeer(state.votedFor, state.self), 'a leader has not voted for itself'],
    [lastTerm(log) === currentTerm, 'a leader has no entry of its term'],
    [
      readyIndex <= log.startIndex || termAt(log, readyIndex) === currentTerm,
      'readyIndex is not of this term',
    ],
    [rounds.every((round) => round <= leader.round), 'a read waits for a round that never began'],
    [
      rounds.every((round, at) => round > 0 || rounds.slice(at).every((later) => later === 0)),
      'reads out of order',
    ],
  ]);
  return problem ?? checkChange(state, leader) ?? checkServed(state, leader);
}

/** A change of members, and a transfer of leadership (§6, thesis §3.10). */
function checkChange(state: State, leader: Leader): string | undefined {
  const { transfer, readyIndex, settledIndex, isLeaving } = leader;
  const { commitIndex } = state;
  const latestIndex = state.configurations.at(-1)?.index ?? 0;
  return firstBroken([
    [settledIndex <= commitIndex, () => `settled ${settledIndex}, committed ${commitIndex}`],
    [
      commitIndex < readyIndex || latestIndex > commitIndex || settledIndex === latestIndex,
      () => `the committed configuration of ${latestIndex} is not acted on, that of ${settledIndex} is`,
    ],
    [leader.changeId === null || !isChangeDone(state), 'a change that is complete is not answered'],
    [!isSamePeer(transfer?.to ?? null, state.self), 'a leader hands over to itself'],
    [!isLeaving || isChangeDone(state), 'a leader leaves before its removal'],
    [isLeaving ? transfer !== null : transfer?.id !== null, 'a leader that leaves hands over to nobody'],
  ]);
}

/** Every other member has its progress; until a configuration is committed, so have those who leave (§6). */
function checkServed(state: State, { peers }: Leader): string | undefined {
  const others = membersOf(configurationOf(state)).filter((member) => !isSamePeer(member, state.self));
  const isSettled = (state.configurations.at(-1)?.index ?? 0) <= state.commitIndex;
  const isServed = (member: Peer) => peers.some((peer) => isSamePeer(peer, member));
  return firstBroken([
    [
      isSettled ? peers.length === others.length : peers.length >= others.length,
      () => `${peers.length} followers of ${others.length} are served`,
    ],
    [!isServed(state.self), 'a leader serves itself'],
    [others.every(isServed), 'a follower is not served'],
  ]);
}

/** Whether the configuration in effect is committed, and not joint. */
function isChangeDone({ configurations, commitIndex }: State): boolean {
  const latest = configurations.at(-1);
  return (
    latest === undefined || (latest.index <= commitIndex && latest.configuration.votersOutgoing.length === 0)
  );
}

/** A progress that is the same is right still, as long as the log is not cut: what it is compared with only grows. */
function checkPeers(state: State, leader: Leader, since: State | undefined): string | undefined {
  const isCut = state.log.startIndex !== since?.log.startIndex;
  const were = since?.role.type === 'leader' && !isCut ? since.role.peers : [];
  for (let place = 0; place < leader.peers.length; place++) {
    const peer = leader.peers[place] as Progress;
    const problem = peer === were[place] ? undefined : checkProgress(state, leader, peer);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkProgress({ log, commitIndex }: State, leader: Leader, peer: Progress): string | undefined {
  const { matchIndex, nextIndex, inflight, id } = peer;
  const bytes = inflight.reduce((sum, item) => sum + item.bytes, 0);
  return firstBroken([
    [matchIndex <= log.lastIndex, () => `${id} matches ${matchIndex}, beyond ${log.lastIndex}`],
    [nextIndex > matchIndex, () => `${id} is to get ${nextIndex} and matches ${matchIndex}`],
    [nextIndex <= log.lastIndex + 1, () => `${id} is to get ${nextIndex}, beyond ${log.lastIndex + 1}`],
    [
      bytes === peer.inflightBytes,
      () => `${id} has ${bytes} bytes in flight, counted as ${peer.inflightBytes}`,
    ],
    [
      isAscending([matchIndex, ...inflight.map((item) => item.lastIndex), nextIndex - 0.5]),
      () => `${id}: in flight`,
    ],
    [peer.round <= leader.round, () => `${id} answered round ${peer.round} of ${leader.round}`],
    [peer.sentCommit <= commitIndex, () => `${id} was told commit ${peer.sentCommit} of ${commitIndex}`],
    [
      peer.state === 'snapshot' || (peer.snapshotSeq === 0 && peer.arrivedSnapshot === null),
      () => `${id} gets a snapshot as a ${peer.state}`,
    ],
    [
      peer.state !== 'snapshot' || peer.snapshotFrom >= log.startIndex,
      () => `${id} gets a snapshot from ${peer.snapshotFrom}, and the log begins at ${log.startIndex}`,
    ],
    [
      (peer.arrivedSnapshot?.snapshot.index ?? commitIndex) <= commitIndex,
      () => `${id} gets a snapshot of ${peer.arrivedSnapshot?.snapshot.index}, beyond ${commitIndex}`,
    ],
  ]);
}
