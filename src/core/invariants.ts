import { type Configuration, type ConfigurationAt, type Member, membersOf } from './configuration.ts';
import { type LogIndex, lastTerm, termAt } from './log.ts';
import type { Progress } from './progress.ts';
import { isQuorum } from './quorum.ts';
import { configurationOf, durableIndex, type Follower, type Leader, type State } from './state.ts';
import { isSamePeer, type Peer } from './types.ts';

/** A claim, and what to say when it does not hold. */
type Claim = readonly [holds: boolean, problem: string];

function firstBroken(claims: readonly Claim[]): string | undefined {
  return claims.find(([holds]) => !holds)?.[1];
}

/**
 * What is wrong with one state, in words; `undefined` if nothing is. Whatever inputs a node was given, this
 * holds: tests and simulations ask after every step.
 */
export function checkState(state: State): string | undefined {
  const problem =
    checkLog(state) ??
    checkConfigurations(state) ??
    checkDisk(state) ??
    checkRequests(state) ??
    checkSnapshots(state) ??
    checkRole(state);
  return problem && `${state.self.id}: ${problem}`;
}

function checkLog({ log, commitIndex, lastApplied, currentTerm }: State): string | undefined {
  return firstBroken([
    [lastApplied <= commitIndex, `lastApplied ${lastApplied} is above commitIndex ${commitIndex}`],
    [commitIndex <= log.lastIndex, `commitIndex ${commitIndex} is above lastIndex ${log.lastIndex}`],
    [commitIndex >= log.startIndex, `commitIndex ${commitIndex} is before the log, at ${log.startIndex}`],
    [
      log.terms.length > 0 === log.lastIndex > log.startIndex,
      `${log.lastIndex} is the last index without a term`,
    ],
    [(log.terms[0]?.index ?? log.startIndex + 1) === log.startIndex + 1, 'the first entry has no term'],
    [isAscending(log.terms.map((start) => start.index)), 'terms begin out of order'],
    [isAscending([log.startTerm - 1, ...log.terms.map((start) => start.term)]), 'terms of the log fall'],
    [(log.terms.at(-1)?.index ?? 0) <= log.lastIndex, 'a term begins beyond the last entry'],
    [lastTerm(log) <= currentTerm, `the last entry's term ${lastTerm(log)} is above term ${currentTerm}`],
  ]);
}

/** Configurations stand in the log, or at its start; and follow from each other (§6, rule 8). */
function checkConfigurations({ configurations, log }: State): string | undefined {
  const atStart = configurations.filter((at) => at.index <= log.startIndex);
  return firstBroken([
    [isAscending(configurations.map((at) => at.index)), 'configurations are out of order'],
    [(configurations.at(-1)?.index ?? 0) <= log.lastIndex, 'a configuration is beyond the last entry'],
    [
      configurations.length === 0 || atStart.length === 1,
      `${atStart.length} configurations at the log's start`,
    ],
    [configurations.every((at) => at.configuration.voters.length > 0), 'a configuration without a voter'],
    [configurations.every((at) => hasNoTwins(at.configuration)), 'a member is listed twice'],
    [
      configurations.slice(1).every((at, place) => isStep(configurations[place] as ConfigurationAt, at)),
      'voters change without a joint configuration',
    ],
  ]);
}

function hasNoTwins({ voters, votersOutgoing, learners }: Configuration): boolean {
  const isSet = (members: readonly Member[]) => new Set(members.map(({ id }) => id)).size === members.length;
  return isSet(votersOutgoing) && isSet([...voters, ...learners]);
}

/** Every majority of one meets every majority of the next: the same voters, or a joint configuration between (§6). */
function isStep({ configuration: from }: ConfigurationAt, { configuration: to }: ConfigurationAt): boolean {
  if (from.votersOutgoing.length > 0)
    return to.votersOutgoing.length === 0 && areSame(from.voters, to.voters);
  return areSame(from.voters, to.votersOutgoing.length > 0 ? to.votersOutgoing : to.voters);
}

function areSame(a: readonly Member[], b: readonly Member[]): boolean {
  return a.length === b.length && a.every((member) => b.some((other) => isSamePeer(member, other)));
}

/** A snapshot that is being installed, or taken (§7, rule 12). */
function checkSnapshots(state: State): string | undefined {
  const { installing, compacting, snapshotSeq, snapshotIndex, commitIndex, log, role, lastApplied } = state;
  return firstBroken([
    [lastApplied >= log.startIndex, `lastApplied ${lastApplied} is before the log, at ${log.startIndex}`],
    [snapshotIndex <= lastApplied, `a snapshot of ${snapshotIndex}, and ${lastApplied} is applied`],
    [
      snapshotIndex >= log.startIndex,
      `a snapshot of ${snapshotIndex}, and the log begins at ${log.startIndex}`,
    ],
    [
      (installing?.seq ?? 0) <= snapshotSeq && (compacting?.seq ?? 0) <= snapshotSeq,
      'a snapshot that nobody asked for',
    ],
    [installing === null || role.type === 'follower', `a ${role.type} installs a snapshot`],
    [
      installing === null || installing.snapshot.index > commitIndex,
      `a snapshot of ${installing?.snapshot.index} is installed over ${commitIndex}`,
    ],
  ]);
}

function checkDisk(state: State): string | undefined {
  const { persistSeq, durableSeq, hardStateSeq, unflushed, held, log } = state;
  const durable = durableIndex(state);
  return firstBroken([
    [durableSeq <= persistSeq, `durableSeq ${durableSeq} is above persistSeq ${persistSeq}`],
    [hardStateSeq <= persistSeq, `hardStateSeq ${hardStateSeq} is above persistSeq ${persistSeq}`],
    [isAscending(unflushed.map((request) => request.seq)), 'unflushed requests are out of order'],
    [isAscending(unflushed.map((request) => request.firstIndex)), 'unflushed indexes are out of order'],
    [
      unflushed.every(({ seq }) => seq > durableSeq && seq <= persistSeq),
      'a flushed request counts as unflushed',
    ],
    [durable >= log.startIndex && durable <= log.lastIndex, `durable through ${durable} of ${log.lastIndex}`],
    [held.every(({ seq }) => seq > durableSeq && seq <= hardStateSeq), 'a message is held for nothing'],
    [held.every(({ message }) => message.term === state.currentTerm), 'a message of another term is held'],
  ]);
}

function checkRequests({
  writes,
  writeBytes,
  lastApplied,
  log,
  role,
  commitIndex,
}: State): string | undefined {
  return firstBroken([
    [isAscending(writes.flatMap((write) => [write.index - 0.5, write.lastIndex])), 'writes are out of order'],
    [writes.every((write) => write.lastIndex > lastApplied), 'an applied write waits for its answer'],
    [writes.every((write) => termAt(log, write.lastIndex) === write.term), 'a write waits for a lost entry'],
    [
      role.type === 'leader' || writes.every((write) => write.lastIndex <= commitIndex),
      'a write waits for a leader that has stepped down',
    ],
    [
      writes.reduce((sum, { bytes }) => sum + bytes, 0) === writeBytes,
      `${writeBytes} bytes of writes wait, counted otherwise`,
    ],
  ]);
}

function checkRole(state: State): string | undefined {
  const { role } = state;
  switch (role.type) {
    case 'follower':
      return checkFollower(state, role);
    case 'leader':
      return (
        checkLeader(state, role) ?? firstProblem(role.peers.map((peer) => checkProgress(state, role, peer)))
      );
    default:
      return checkVotes(state, role.type, role.votes);
  }
}

function checkFollower({ log, commitIndex }: State, follower: Follower): string | undefined {
  const { verifiedIndex, ackedIndex, leader, round } = follower;
  return firstBroken([
    [verifiedIndex <= log.lastIndex, `verified through ${verifiedIndex}, beyond ${log.lastIndex}`],
    [verifiedIndex >= commitIndex, `commitIndex ${commitIndex} is above the verified ${verifiedIndex}`],
    [ackedIndex <= verifiedIndex, `acknowledged ${ackedIndex}, verified ${verifiedIndex}`],
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
    [!isQuorum(configuration, has), `a ${type} with a majority of votes does not go on`],
    [type !== 'candidate' || isSamePeer(state.votedFor, state.self), 'a candidate has not voted for itself'],
    [
      type !== 'candidate' || !has(state.self) || ownVoteIsDurable,
      'a vote of its own counts before it is durable',
    ],
  ]);
}

function checkLeader(state: State, leader: Leader): string | undefined {
  const others = membersOf(configurationOf(state)).filter((member) => !isSamePeer(member, state.self));
  const rounds = leader.reads.map((read) => read.round);
  const latestIndex = state.configurations.at(-1)?.index ?? 0;
  const isSettled = latestIndex <= state.commitIndex; // Until then, those who leave are served as well.
  const { transfer, readyIndex, settledIndex } = leader;
  return firstBroken([
    [isSamePeer(state.votedFor, state.self), 'a leader has not voted for itself'],
    [
      isSettled ? leader.peers.length === others.length : leader.peers.length >= others.length,
      `${leader.peers.length} followers of ${others.length} are served`,
    ],
    [!leader.peers.some((peer) => isSamePeer(peer, state.self)), 'a leader serves itself'],
    [settledIndex <= state.commitIndex, `settled ${settledIndex}, committed ${state.commitIndex}`],
    [
      state.commitIndex < readyIndex || !isSettled || settledIndex === latestIndex,
      `the committed configuration of ${latestIndex} is not acted on, that of ${settledIndex} is`,
    ],
    [leader.changeId === null || !isChangeDone(state), 'a change that is complete is not answered'],
    [!isSamePeer(transfer?.to ?? null, state.self), 'a leader hands over to itself'],
    [!leader.isLeaving || isChangeDone(state), 'a leader leaves before its removal'],
    [
      leader.isLeaving ? transfer !== null : transfer?.id !== null,
      'a leader that leaves hands over to nobody',
    ],
    [
      others.every((member) => leader.peers.some((peer) => isSamePeer(peer, member))),
      'a follower is not served',
    ],
    [lastTerm(state.log) === state.currentTerm, 'a leader has no entry of its term'],
    [
      readyIndex <= state.log.startIndex || termAt(state.log, readyIndex) === state.currentTerm,
      'readyIndex is not of this term',
    ],
    [rounds.every((round) => round <= leader.round), 'a read waits for a round that never began'],
    [
      rounds.every((round, at) => round > 0 || rounds.slice(at).every((later) => later === 0)),
      'reads out of order',
    ],
  ]);
}

/** Whether the configuration in effect is committed, and not joint. */
function isChangeDone({ configurations, commitIndex }: State): boolean {
  const latest = configurations.at(-1);
  return (
    latest === undefined || (latest.index <= commitIndex && latest.configuration.votersOutgoing.length === 0)
  );
}

function checkProgress({ log, commitIndex }: State, leader: Leader, peer: Progress): string | undefined {
  const { matchIndex, nextIndex, inflight, id } = peer;
  const bytes = inflight.reduce((sum, item) => sum + item.bytes, 0);
  return firstBroken([
    [matchIndex <= log.lastIndex, `${id} matches ${matchIndex}, beyond ${log.lastIndex}`],
    [nextIndex > matchIndex, `${id} is to get ${nextIndex} and matches ${matchIndex}`],
    [nextIndex <= log.lastIndex + 1, `${id} is to get ${nextIndex}, beyond ${log.lastIndex + 1}`],
    [bytes === peer.inflightBytes, `${id} has ${bytes} bytes in flight, counted as ${peer.inflightBytes}`],
    [
      isAscending([matchIndex, ...inflight.map((item) => item.lastIndex), nextIndex - 0.5]),
      `${id}: in flight`,
    ],
    [peer.round <= leader.round, `${id} answered round ${peer.round} of ${leader.round}`],
    [peer.sentCommit <= commitIndex, `${id} was told commit ${peer.sentCommit} of ${commitIndex}`],
    [
      peer.state === 'snapshot' || (peer.snapshotSeq === 0 && peer.arrivedSnapshot === null),
      `${id} gets a snapshot as a ${peer.state}`,
    ],
    [
      peer.state !== 'snapshot' || peer.snapshotFrom >= log.startIndex,
      `${id} gets a snapshot from ${peer.snapshotFrom}, and the log begins at ${log.startIndex}`,
    ],
    [
      (peer.arrivedSnapshot?.snapshot.index ?? commitIndex) <= commitIndex,
      `${id} gets a snapshot of ${peer.arrivedSnapshot?.snapshot.index}, beyond ${commitIndex}`,
    ],
  ]);
}

/**
 * What is wrong with a step from one state to the next, in words; `undefined` if nothing is. It holds for
 * every input, and for no input at all.
 */
export function checkTransition(before: State, after: State): string | undefined {
  if (before === after) return undefined;
  const problem =
    checkIdentity(before, after) ??
    checkMonotonic(before, after) ??
    checkTerm(before, after) ??
    checkPrefix(before.log, after.log, before.commitIndex) ??
    checkStart(before, after) ??
    checkRoleChange(before, after);
  return problem && `${after.self.id}: ${problem}`;
}

function checkIdentity(before: State, after: State): string | undefined {
  return firstBroken([
    [isSamePeer(before.self, after.self), 'a node became another'],
    [before.group === after.group, 'the group changed'],
    [before.config === after.config, 'the configuration of the node changed'],
  ]);
}

const monotonic = [
  'currentTerm',
  'commitIndex',
  'lastApplied',
  'persistSeq',
  'durableSeq',
  'hardStateSeq',
  'readLogSeq',
  'applySeq',
  'snapshotSeq',
  'snapshotIndex',
  'now',
] as const;

function checkMonotonic(before: State, after: State): string | undefined {
  const fallen = monotonic.find((name) => after[name] < before[name]);
  if (fallen !== undefined) return `${fallen} fell from ${before[fallen]} to ${after[fallen]}`;
  if (after.persistSeq > before.persistSeq + 1) return 'one step asked for the disk twice';
  return undefined;
}

/** Within a term a vote, once cast, stays; and what changes is written (§5.2). */
function checkTerm(before: State, after: State): string | undefined {
  const isSameTerm = before.currentTerm === after.currentTerm;
  const isSameVote = isSamePeer(before.votedFor, after.votedFor);
  const hasChanged = !isSameTerm || !isSameVote;
  return firstBroken([
    [!isSameTerm || isSameVote || before.votedFor === null, 'a second vote in one term'],
    [!hasChanged || after.hardStateSeq === after.persistSeq, 'a term or vote is not written'],
    [!hasChanged || after.hardStateSeq > before.hardStateSeq, 'a term or vote counts as written before'],
  ]);
}

/** The log through `index` is what it was. */
function checkPrefix(before: LogIndex, after: LogIndex, index: number): string | undefined {
  if (before === after || before.terms === after.terms) return undefined;
  const kept = before.terms.filter((start) => start.index <= index && start.index > after.startIndex);
  const lost = kept.find((start) => termAt(after, start.index) !== start.term);
  if (lost !== undefined)
    return `the entry at ${lost.index} of term ${lost.term} is lost, though kept through ${index}`;
  const added = after.terms.filter((start) => start.index <= index && start.index > before.startIndex);
  const replaced = added.find((start) => termAt(before, start.index) !== start.term);
  return replaced && `the entry at ${replaced.index} was replaced, though kept through ${index}`;
}

/** The log's start moves on within what is applied, or to a snapshot that was being installed (§7, rule 12). */
function checkStart(before: State, after: State): string | undefined {
  const { startIndex, startTerm } = after.log;
  if (startIndex === before.log.startIndex) return undefined;
  const { installing } = before;
  const isInstalled = installing?.snapshot.index === startIndex && installing.snapshot.term === startTerm;
  const isCompacted = startIndex <= before.lastApplied && termAt(before.log, startIndex) === startTerm;
  return firstBroken([
    [
      startIndex > before.log.startIndex,
      `the log's start fell from ${before.log.startIndex} to ${startIndex}`,
    ],
    [isInstalled || isCompacted, `the log was cut at ${startIndex}, ${before.lastApplied} is applied`],
    [after.log.lastIndex >= before.commitIndex, `the log ends at ${after.log.lastIndex}, before the commit`],
  ]);
}

function checkRoleChange(before: State, after: State): string | undefined {
  const isSameTerm = before.currentTerm === after.currentTerm;
  const wasLeader = before.role.type === 'leader';
  const isLeader = after.role.type === 'leader';
  if (isLeader && !wasLeader) {
    const wasCandidate = before.role.type === 'candidate' && isSameTerm;
    return wasCandidate ? undefined : `a ${before.role.type} became leader without an election`;
  }
  if (!isSameTerm) return isLeader ? 'a leader changed its term and leads on' : undefined;
  if (wasLeader && isLeader) return checkLeaderStep(before, after);
  if (wasLeader && after.role.type !== 'follower') return `a leader became ${after.role.type} in its term`;
  return checkFollowerStep(before, after);
}

/** A leader never overwrites or deletes entries of its log: it only appends (§5.3, Leader Append-Only). */
function checkLeaderStep(before: State, after: State): string | undefined {
  if (before.role.type !== 'leader' || after.role.type !== 'leader') return undefined;
  const { peers, round, readyIndex } = after.role;
  const were = before.role.peers;
  const fallen = peers.find((peer) => {
    const was = were.find((other) => isSamePeer(other, peer));
    return was !== undefined && (peer.matchIndex < was.matchIndex || peer.round < was.round);
  });
  return (
    checkPrefix(before.log, after.log, before.log.lastIndex) ??
    firstBroken([
      [after.log.lastIndex >= before.log.lastIndex, 'a leader deleted entries'],
      [fallen === undefined, `the progress of ${fallen?.id} fell`],
      [round >= before.role.round, 'the round of read confirmation fell'],
      [readyIndex === before.role.readyIndex, 'readyIndex changed'],
    ])
  );
}

/** What was verified against a leader's log stays, as long as it leads (§5.3). */
function checkFollowerStep(before: State, after: State): string | undefined {
  if (before.role.type !== 'follower' || after.role.type !== 'follower') return undefined;
  if (before.role.leader === null) return undefined;
  if (after.role.leader === null) return checkPrefix(before.log, after.log, before.log.lastIndex); // Given up.
  const { leader, verifiedIndex, ackedIndex } = before.role;
  return (
    checkPrefix(before.log, after.log, verifiedIndex) ??
    firstBroken([
      [isSamePeer(leader, after.role.leader), 'a second leader in one term'],
      [after.role.verifiedIndex >= verifiedIndex, `verified fell from ${verifiedIndex}`],
      [after.role.ackedIndex >= ackedIndex, `acknowledged fell from ${ackedIndex}`],
    ])
  );
}

function firstProblem(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, at) => at === 0 || value > (values[at - 1] as number));
}
