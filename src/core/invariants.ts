import { firstBroken, isAscendingBy } from './claims.ts';
import { type ConfigurationAt, hasNoTwins, type Member } from './configuration.ts';
import { type LogIndex, lastTerm, termAt } from './log.ts';
import { checkRole } from './role-invariants.ts';
import { durableIndex, type PendingWrite, type State } from './state.ts';
import { isSamePeer } from './types.ts';

/**
 * What is wrong with one state, in words; `undefined` if nothing is. Whatever inputs a node was given, this
 * holds: tests and simulations ask after every step. `since` is an earlier state in which nothing was wrong: what
 * has not changed since is not looked at again.
 */
export function checkState(state: State, since?: State): string | undefined {
  const isLogSame = isSameLog(state, since);
  const problem =
    (isLogSame ? undefined : checkLog(state, since)) ??
    (areSameConfigurations(state, since) ? undefined : checkConfigurations(state)) ??
    (isSameDisk(state, since) ? undefined : checkDisk(state)) ??
    (isLogSame && areSameRequests(state, since) ? undefined : checkRequests(state)) ??
    (isLogSame && areSameSnapshots(state, since) ? undefined : checkSnapshots(state)) ??
    checkRole(state, since);
  return problem && `${state.self.id}: ${problem}`;
}

function isSameLog(state: State, since: State | undefined): boolean {
  return (
    state.log === since?.log &&
    state.commitIndex === since.commitIndex &&
    state.lastApplied === since.lastApplied &&
    state.currentTerm === since.currentTerm
  );
}

/** A log that grows at its end leaves what stands in it where it is. */
function areSameConfigurations({ configurations, log }: State, since: State | undefined): boolean {
  return (
    configurations === since?.configurations &&
    log.startIndex === since.log.startIndex &&
    log.lastIndex >= since.log.lastIndex
  );
}

function isSameDisk(state: State, since: State | undefined): boolean {
  return (
    state.log === since?.log &&
    state.unflushed === since.unflushed &&
    state.held === since.held &&
    state.persistSeq === since.persistSeq &&
    state.durableSeq === since.durableSeq &&
    state.hardStateSeq === since.hardStateSeq &&
    state.currentTerm === since.currentTerm
  );
}

function areSameRequests(state: State, since: State | undefined): boolean {
  return (
    state.writes === since?.writes &&
    state.writeBytes === since.writeBytes &&
    state.role.type === since.role.type
  );
}

function areSameSnapshots(state: State, since: State | undefined): boolean {
  return (
    state.installing === since?.installing &&
    state.compacting === since.compacting &&
    state.snapshotSeq === since.snapshotSeq &&
    state.snapshotIndex === since.snapshotIndex &&
    state.role.type === since.role.type
  );
}

function checkLog({ log, commitIndex, lastApplied, currentTerm }: State, since?: State): string | undefined {
  const areTermsSame = log.terms === since?.log.terms && log.startIndex === since.log.startIndex;
  const problem = areTermsSame ? undefined : checkTerms(log);
  if (problem !== undefined) return problem;
  if (!(lastApplied <= commitIndex)) return `lastApplied ${lastApplied} is above commitIndex ${commitIndex}`;
  if (!(commitIndex <= log.lastIndex))
    return `commitIndex ${commitIndex} is above lastIndex ${log.lastIndex}`;
  if (!(commitIndex >= log.startIndex))
    return `commitIndex ${commitIndex} is before the log, at ${log.startIndex}`;
  if (log.terms.length > 0 !== log.lastIndex > log.startIndex)
    return `${log.lastIndex} is the last index without a term`;
  if (!((log.terms.at(-1)?.index ?? 0) <= log.lastIndex)) return 'a term begins beyond the last entry';
  if (!(lastTerm(log) <= currentTerm))
    return `the last entry's term ${lastTerm(log)} is above term ${currentTerm}`;
  return undefined;
}

function checkTerms({ terms, startIndex, startTerm }: LogIndex): string | undefined {
  const [first] = terms;
  return firstBroken([
    [(first?.index ?? startIndex + 1) === startIndex + 1, 'the first entry has no term'],
    [isAscendingBy(terms, (start) => start.index), 'terms begin out of order'],
    [isAscendingBy(terms, (start) => start.term), 'terms of the log fall'],
    [first === undefined || first.term >= startTerm, 'terms of the log fall'],
  ]);
}

/** Configurations stand in the log, or at its start; and follow from each other (§6, rule 8). */
function checkConfigurations({ configurations, log }: State): string | undefined {
  const atStart = configurations.filter((at) => at.index <= log.startIndex);
  return firstBroken([
    [isAscendingBy(configurations, (at) => at.index), 'configurations are out of order'],
    [(configurations.at(-1)?.index ?? 0) <= log.lastIndex, 'a configuration is beyond the last entry'],
    [
      configurations.length === 0 || atStart.length === 1,
      () => `${atStart.length} configurations at the log's start`,
    ],
    [configurations.every((at) => at.configuration.voters.length > 0), 'a configuration without a voter'],
    [configurations.every((at) => hasNoTwins(at.configuration)), 'a member is listed twice'],
    [
      configurations.slice(1).every((at, place) => isStep(configurations[place] as ConfigurationAt, at)),
      'voters change without a joint configuration',
    ],
  ]);
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
  if (!(lastApplied >= log.startIndex))
    return `lastApplied ${lastApplied} is before the log, at ${log.startIndex}`;
  if (!(snapshotIndex <= lastApplied)) return `a snapshot of ${snapshotIndex}, and ${lastApplied} is applied`;
  if (!(snapshotIndex >= log.startIndex))
    return `a snapshot of ${snapshotIndex}, and the log begins at ${log.startIndex}`;
  if (!((installing?.seq ?? 0) <= snapshotSeq && (compacting?.seq ?? 0) <= snapshotSeq))
    return 'a snapshot that nobody asked for';
  if (!(installing === null || role.type === 'follower')) return `a ${role.type} installs a snapshot`;
  if (!(installing === null || installing.snapshot.index > commitIndex))
    return `a snapshot of ${installing?.snapshot.index} is installed over ${commitIndex}`;
  return undefined;
}

function checkDisk(state: State): string | undefined {
  const { persistSeq, durableSeq, hardStateSeq, unflushed, held, log } = state;
  const durable = durableIndex(state);
  if (!(durableSeq <= persistSeq)) return `durableSeq ${durableSeq} is above persistSeq ${persistSeq}`;
  if (!(hardStateSeq <= persistSeq)) return `hardStateSeq ${hardStateSeq} is above persistSeq ${persistSeq}`;
  if (!isAscendingBy(unflushed, (request) => request.seq)) return 'unflushed requests are out of order';
  if (!isAscendingBy(unflushed, (request) => request.firstIndex)) return 'unflushed indexes are out of order';
  if (!unflushed.every(({ seq }) => seq > durableSeq && seq <= persistSeq))
    return 'a flushed request counts as unflushed';
  if (!(durable >= log.startIndex && durable <= log.lastIndex))
    return `durable through ${durable} of ${log.lastIndex}`;
  if (!held.every(({ seq }) => seq > durableSeq && seq <= hardStateSeq))
    return 'a message is held for nothing';
  if (!held.every(({ message }) => message.term === state.currentTerm))
    return 'a message of another term is held';
  return undefined;
}

function checkRequests(state: State): string | undefined {
  let bytes = 0;
  let lastIndex = 0;
  for (const write of state.writes) {
    if (write.index <= lastIndex || write.lastIndex < write.index) return 'writes are out of order';
    lastIndex = write.lastIndex;
    bytes += write.bytes;
    const problem = checkWrite(state, write);
    if (problem !== undefined) return problem;
  }
  return bytes === state.writeBytes
    ? undefined
    : `${state.writeBytes} bytes of writes wait, counted otherwise`;
}

function checkWrite(state: State, { lastIndex, term }: PendingWrite): string | undefined {
  const { lastApplied, log, role, commitIndex } = state;
  if (lastIndex <= lastApplied) return 'an applied write waits for its answer';
  if (termAt(log, lastIndex) !== term) return 'a write waits for a lost entry';
  const isServed = role.type === 'leader' || lastIndex <= commitIndex;
  return isServed ? undefined : 'a write waits for a leader that has stepped down';
}
