import { firstBroken } from './claims.ts';
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
  if (!(verifiedIndex <= log.lastIndex)) return `verified through ${verifiedIndex}, beyond ${log.lastIndex}`;
  if (!(verifiedIndex >= commitIndex))
    return `commitIndex ${commitIndex} is above the verified ${verifiedIndex}`;
  if (!(ackedIndex <= verifiedIndex)) return `acknowledged ${ackedIndex}, verified ${verifiedIndex}`;
  if (!(leader !== null || (ackedIndex === 0 && round === 0))) return 'acknowledged to nobody';
  return undefined;
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
  if (!isSamePeer(state.votedFor, state.self)) return 'a leader has not voted for itself';
  if (lastTerm(log) !== currentTerm) return 'a leader has no entry of its term';
  if (!(readyIndex <= log.startIndex || termAt(log, readyIndex) === currentTerm))
    return 'readyIndex is not of this term';
  return checkReads(leader) ?? checkChange(state, leader) ?? checkServed(state, leader);
}

/** Those whose round has begun come before those that wait for one. */
function checkReads({ reads, round }: Leader): string | undefined {
  if (!reads.every((read) => read.round <= round)) return 'a read waits for a round that never began';
  const begun = reads.filter((read) => read.round > 0).length;
  return reads.slice(begun).every((read) => read.round === 0) ? undefined : 'reads out of order';
}

/** A change of members, and a transfer of leadership (§6, thesis §3.10). */
function checkChange(state: State, leader: Leader): string | undefined {
  const { transfer, readyIndex, settledIndex, isLeaving } = leader;
  const { commitIndex } = state;
  const latestIndex = state.configurations.at(-1)?.index ?? 0;
  if (!(settledIndex <= commitIndex)) return `settled ${settledIndex}, committed ${commitIndex}`;
  if (!(commitIndex < readyIndex || latestIndex > commitIndex || settledIndex === latestIndex))
    return `the committed configuration of ${latestIndex} is not acted on, that of ${settledIndex} is`;
  if (!(leader.changeId === null || !isChangeDone(state))) return 'a change that is complete is not answered';
  if (isSamePeer(transfer?.to ?? null, state.self)) return 'a leader hands over to itself';
  if (!(!isLeaving || isChangeDone(state))) return 'a leader leaves before its removal';
  if (!(isLeaving ? transfer !== null : transfer?.id !== null))
    return 'a leader that leaves hands over to nobody';
  return undefined;
}

/** Every other member has its progress; until a configuration is committed, so have those who leave (§6). */
function checkServed(state: State, { peers }: Leader): string | undefined {
  const others = membersOf(configurationOf(state)).filter((member) => !isSamePeer(member, state.self));
  const isSettled = (state.configurations.at(-1)?.index ?? 0) <= state.commitIndex;
  const isServed = (member: Peer) => peers.some((peer) => isSamePeer(peer, member));
  if (!(isSettled ? peers.length === others.length : peers.length >= others.length))
    return `${peers.length} followers of ${others.length} are served`;
  if (isServed(state.self)) return 'a leader serves itself';
  if (!others.every(isServed)) return 'a follower is not served';
  return undefined;
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

/** What is in flight lies above what matches, and below what comes next. */
function isInOrder({ matchIndex, nextIndex, inflight }: Progress): boolean {
  let last = matchIndex;
  for (const { lastIndex } of inflight) {
    if (!(lastIndex > last)) return false;
    last = lastIndex;
  }
  return last < nextIndex;
}

function checkProgress({ log, commitIndex }: State, leader: Leader, peer: Progress): string | undefined {
  const { matchIndex, nextIndex, inflight, id } = peer;
  const bytes = inflight.reduce((sum, item) => sum + item.bytes, 0);
  if (!(matchIndex <= log.lastIndex)) return `${id} matches ${matchIndex}, beyond ${log.lastIndex}`;
  if (!(nextIndex > matchIndex)) return `${id} is to get ${nextIndex} and matches ${matchIndex}`;
  if (!(nextIndex <= log.lastIndex + 1)) return `${id} is to get ${nextIndex}, beyond ${log.lastIndex + 1}`;
  if (bytes !== peer.inflightBytes)
    return `${id} has ${bytes} bytes in flight, counted as ${peer.inflightBytes}`;
  if (!isInOrder(peer)) return `${id}: in flight`;
  if (!(peer.round <= leader.round)) return `${id} answered round ${peer.round} of ${leader.round}`;
  if (!(peer.sentCommit <= commitIndex)) return `${id} was told commit ${peer.sentCommit} of ${commitIndex}`;
  if (!(peer.state === 'snapshot' || (peer.snapshotSeq === 0 && peer.arrivedSnapshot === null)))
    return `${id} gets a snapshot as a ${peer.state}`;
  if (!(peer.state !== 'snapshot' || peer.snapshotFrom >= log.startIndex))
    return `${id} gets a snapshot from ${peer.snapshotFrom}, and the log begins at ${log.startIndex}`;
  if (!((peer.arrivedSnapshot?.snapshot.index ?? commitIndex) <= commitIndex))
    return `${id} gets a snapshot of ${peer.arrivedSnapshot?.snapshot.index}, beyond ${commitIndex}`;
  return undefined;
}
