import { firstBroken } from './claims.ts';
import { type LogIndex, termAt } from './log.ts';
import type { Progress } from './progress.ts';
import type { State } from './state.ts';
import { isSamePeer } from './types.ts';

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
  if (!isSamePeer(before.self, after.self)) return 'a node became another';
  if (before.group !== after.group) return 'the group changed';
  return before.config === after.config ? undefined : 'the configuration of the node changed';
}

/** Looks with one condition, since this is asked after every step: which one fell is found out only when one did. */
function checkMonotonic(before: State, after: State): string | undefined {
  const hasFallen =
    after.currentTerm < before.currentTerm ||
    after.commitIndex < before.commitIndex ||
    after.lastApplied < before.lastApplied ||
    after.persistSeq < before.persistSeq ||
    after.durableSeq < before.durableSeq ||
    after.hardStateSeq < before.hardStateSeq ||
    after.readLogSeq < before.readLogSeq ||
    after.applySeq < before.applySeq ||
    after.snapshotSeq < before.snapshotSeq ||
    after.snapshotIndex < before.snapshotIndex ||
    after.now < before.now;
  if (hasFallen) return describeFallen(before, after);
  if (after.persistSeq > before.persistSeq + 1) return 'one step asked for the disk twice';
  return undefined;
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

function describeFallen(before: State, after: State): string | undefined {
  const fallen = monotonic.find((name) => after[name] < before[name]);
  return fallen && `${fallen} fell from ${before[fallen]} to ${after[fallen]}`;
}

/** Within a term a vote, once cast, stays; and what changes is written (§5.2). */
function checkTerm(before: State, after: State): string | undefined {
  const isSameTerm = before.currentTerm === after.currentTerm;
  const isSameVote = isSamePeer(before.votedFor, after.votedFor);
  if (isSameTerm && isSameVote) return undefined;
  return firstBroken([
    [!isSameTerm || before.votedFor === null, 'a second vote in one term'],
    [after.hardStateSeq === after.persistSeq, 'a term or vote is not written'],
    [after.hardStateSeq > before.hardStateSeq, 'a term or vote counts as written before'],
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
      () => `the log's start fell from ${before.log.startIndex} to ${startIndex}`,
    ],
    [isInstalled || isCompacted, () => `the log was cut at ${startIndex}, ${before.lastApplied} is applied`],
    [
      after.log.lastIndex >= before.commitIndex,
      () => `the log ends at ${after.log.lastIndex}, before the commit`,
    ],
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
  const fallen = fallenProgress(peers, before.role.peers);
  const problem = checkPrefix(before.log, after.log, before.log.lastIndex);
  if (problem !== undefined) return problem;
  if (!(after.log.lastIndex >= before.log.lastIndex)) return 'a leader deleted entries';
  if (fallen !== undefined) return `the progress of ${fallen.id} fell`;
  if (!(round >= before.role.round)) return 'the round of read confirmation fell';
  return readyIndex === before.role.readyIndex ? undefined : 'readyIndex changed';
}

/** A follower of which less is known than before. */
function fallenProgress(peers: readonly Progress[], were: readonly Progress[]): Progress | undefined {
  if (peers === were) return undefined;
  return peers.find((peer) => {
    const was = were.find((other) => isSamePeer(other, peer));
    return was !== undefined && (peer.matchIndex < was.matchIndex || peer.round < was.round);
  });
}

/** What was verified against a leader's log stays, as long as it leads (§5.3). */
function checkFollowerStep(before: State, after: State): string | undefined {
  if (before.role.type !== 'follower' || after.role.type !== 'follower') return undefined;
  if (before.role.leader === null) return undefined;
  if (after.role.leader === null) return checkPrefix(before.log, after.log, before.log.lastIndex); // Given up.
  const { leader, verifiedIndex, ackedIndex } = before.role;
  const problem = checkPrefix(before.log, after.log, verifiedIndex);
  if (problem !== undefined) return problem;
  if (!isSamePeer(leader, after.role.leader)) return 'a second leader in one term';
  if (!(after.role.verifiedIndex >= verifiedIndex)) return `verified fell from ${verifiedIndex}`;
  return after.role.ackedIndex >= ackedIndex ? undefined : `acknowledged fell from ${ackedIndex}`;
}
