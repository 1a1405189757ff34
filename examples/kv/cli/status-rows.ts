import type { ConfigurationBody, PeerBody, StatusBody } from '../http/status-body.ts';

/** A member as the table shows it. `null` is what nobody could tell. */
export interface StatusRow {
  readonly id: string;
  /** `outside`: it answers, and is not in the cluster, or has lost its data. */
  readonly role: StatusBody['role'] | 'outside' | 'down' | 'unknown';
  readonly isVoter: boolean;
  readonly term: number | null;
  readonly lastIndex: number | null;
  readonly commitIndex: number | null;
  readonly lastApplied: number | null;
  /** Entries that it lacks, as its leader counts them. */
  readonly lag: number | null;
  readonly rttMs: number | null;
  /** The leader's link to it, such as `replicate`; the leader has none to itself. */
  readonly link: string | null;
}

/** What the nodes that answered say together. */
export interface ClusterStatus {
  readonly rows: readonly StatusRow[];
  readonly summary: string;
  /** Whether writes go through. */
  readonly level: 'healthy' | 'degraded' | 'stopped';
  /** Where nobody who answered is in a cluster: a node that another one does not let in; else `null`. */
  readonly refused: string | null;
}

/**
 * Puts together what several nodes say of themselves and, the leader, of the others. Members that no
 * address was given for are shown as the leader sees them.
 */
export function clusterStatus(answers: readonly StatusBody[]): ClusterStatus {
  const leader = latest(answers.filter(({ role }) => role === 'leader'));
  const informed = leader ?? latest(answers);
  const own = new Map(answers.map((answer) => [answer.id, answer]));
  const peers = new Map(leader?.peers?.map((peer) => [peer.id, peer]));
  const members = informed?.members ?? [];
  const listed = new Set(members.map(({ id }) => id));
  const stranger = informed?.configuration === null ? ('learner' as const) : ('outside' as const);
  const others = answers.filter(({ id }) => !listed.has(id)).map(({ id }) => ({ id, role: stranger }));
  const rows = [...members, ...others].map(({ id, role }) =>
    rowOf({ id, membership: role, self: own.get(id), peer: peers.get(id), leader, informed }),
  );
  const refused = informed?.configuration === null ? refusedOf(answers) : null;
  return { rows, ...verdict(rows, { leader, informed, refused }), refused: refused?.id ?? null };
}

interface Member {
  readonly id: string;
  readonly membership: 'voter' | 'learner' | 'outside';
  readonly self: StatusBody | undefined;
  readonly peer: PeerBody | undefined;
  readonly leader: StatusBody | undefined;
  readonly informed: StatusBody | undefined;
}

function rowOf({ id, membership, self, peer, leader, informed }: Member): StatusRow {
  // What a new leader has not heard of, it does not know.
  const isHeardOf = peer !== undefined && (peer.matchIndex > 0 || peer.state !== 'unreachable');
  const isStranger = membership === 'outside' || self?.clusterId !== informed?.clusterId;
  return {
    id,
    role: self === undefined ? roleFrom(peer, membership) : roleOf(self, isStranger),
    isVoter: membership === 'voter',
    term: self?.term ?? null,
    lastIndex: self?.lastIndex ?? (isHeardOf ? peer.matchIndex : null),
    commitIndex: self?.commitIndex ?? null,
    lastApplied: self?.lastApplied ?? null,
    lag: leader?.id === id ? 0 : isHeardOf ? peer.lag : null,
    rttMs: peer?.rttMs ?? null,
    link: peer === undefined ? null : linkOf(peer),
  };
}

/** What a node says that it does, unless it is outside and may not know; a leader is one until it has handed over. */
function roleOf({ role }: StatusBody, isStranger: boolean): StatusRow['role'] {
  return isStranger && role !== 'leader' ? 'outside' : role;
}

/** What a member that gave no answer must be doing, going by its leader: it follows if the leader hears from it. */
function roleFrom(peer: PeerBody | undefined, membership: Member['membership']): StatusRow['role'] {
  if (peer === undefined) return 'unknown';
  if (peer.state === 'unreachable') return 'down';
  return membership === 'voter' ? 'follower' : 'learner';
}

function linkOf({ state, unreachableMs }: PeerBody): string {
  return unreachableMs === undefined ? state : `${state} ${Math.round(unreachableMs / 1000)} s`;
}

/** The one that knows most: of the highest term, and in it of the highest commit. */
export function latest(answers: readonly StatusBody[]): StatusBody | undefined {
  return [...answers].sort((a, b) => b.term - a.term || b.commitIndex - a.commitIndex)[0];
}

function verdict(
  rows: readonly StatusRow[],
  {
    leader,
    informed,
    refused,
  }: {
    readonly leader: StatusBody | undefined;
    readonly informed: StatusBody | undefined;
    readonly refused: Refused | null;
  },
): Pick<ClusterStatus, 'summary' | 'level'> {
  if (informed === undefined) {
    return { summary: 'Nobody answers: as far as one can see, no node is up.', level: 'stopped' };
  }
  if (refused !== null) {
    return { summary: `${refused.id} is in no cluster: ${refused.why}.`, level: 'stopped' };
  }
  if (informed.configuration === null) {
    return {
      summary: 'Not founded yet: for its first start every declared member must be up.',
      level: 'stopped',
    };
  }
  const up = new Set(rows.filter((row) => isUp(row, leader)).map(({ id }) => id));
  const { of, spare, isComplete } = votesOf(informed.configuration, up);
  if (spare < 0) return { summary: `No quorum: ${of}. Writes wait for ${-spare} more.`, level: 'stopped' };
  if (leader === undefined) {
    return { summary: `No leader: ${of} answer. Writes wait until one is elected.`, level: 'stopped' };
  }
  if (!isComplete) {
    return {
      summary: `Degraded: ${of}. ${failures(spare + 1, 'more ')} ${stops(spare)} writes.`,
      level: 'degraded',
    };
  }
  return {
    summary: `Healthy: ${of}. ${failures(spare, '')} ${spare === 1 ? 'is' : 'are'} survived.`,
    level: 'healthy',
  };
}

/** A node that is not let in. */
interface Refused {
  readonly id: string;
  readonly why: string;
}

/** One whose store a cluster knows as lost, or does not know at all; else one whose name or list another node does not accept. */
function refusedOf(answers: readonly StatusBody[]): Refused | null {
  const isKeptOut = ({ refusals }: StatusBody): boolean =>
    refusals.some(({ by, code }) => code === 'wipedStore' || (code === 'notAMember' && by === 'peer'));
  const keptOut = answers.find(isKeptOut);
  if (keptOut !== undefined) return { id: keptOut.id, why: 'one is there, and keeps it out' };
  for (const { id, refusals } of answers) {
    const refusal = refusals.findLast(
      ({ by, code }) => by === 'peer' && (code === 'nameInUse' || code === 'otherMembers'),
    );
    if (refusal !== undefined) return { id, why: `${refusal.id} does not let it in (${refusal.code})` };
  }
  return null;
}

/** How many voters are up. */
interface Votes {
  /** In words. */
  readonly of: string;
  /** How many of them could fail before writes stop; negative if that has happened. */
  readonly spare: number;
  readonly isComplete: boolean;
}

/** While a change of members is under way, a majority of the old voters and one of the new have to agree (§6). */
function votesOf({ voters, votersOutgoing }: ConfigurationBody, up: ReadonlySet<string>): Votes {
  const current = votesIn(voters, up);
  if (votersOutgoing.length === 0) return { ...current, of: `${current.of} voters` };
  const old = votesIn(votersOutgoing, up);
  return {
    of: `${old.of} old and ${current.of} new voters`,
    spare: Math.min(old.spare, current.spare),
    isComplete: old.isComplete && current.isComplete,
  };
}

function votesIn(voters: readonly string[], up: ReadonlySet<string>): Votes {
  const upCount = voters.filter((id) => up.has(id)).length;
  const majority = Math.floor(voters.length / 2) + 1;
  const isComplete = upCount === voters.length;
  return { of: `${upCount} of ${voters.length}`, spare: upCount - majority, isComplete };
}

/**
 * Whether it could acknowledge a write. Where somebody leads, that is the leader, or who answers it: one that stands for
 * election meanwhile hears nothing from it. Where nobody leads, it is who has answered here.
 */
function isUp({ id, role, link }: StatusRow, leader: StatusBody | undefined): boolean {
  if (role === 'down' || role === 'unknown' || role === 'outside') return false;
  if (leader === undefined || leader.id === id) return true;
  const isStanding = role === 'candidate' || role === 'preCandidate';
  return !isStanding && link !== null && !link.startsWith('unreachable');
}

function failures(count: number, more: string): string {
  if (count === 0) return 'No failures';
  return count === 1 ? `One ${more}failure` : `${count} ${more}failures`;
}

function stops(spare: number): string {
  return spare === 0 ? 'stops' : 'stop';
}
