import type { PeerBody, StatusBody } from '../http/status-body.ts';

/** A member as the table shows it. `null` is what nobody could tell. */
export interface StatusRow {
  readonly id: string;
  readonly role: StatusBody['role'] | 'down' | 'unknown';
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
  const others = answers
    .filter(({ id }) => !listed.has(id))
    .map(({ id }) => ({ id, role: 'learner' as const }));
  const rows = [...members, ...others].map(({ id, role }) =>
    rowOf({ id, isVoter: role === 'voter', self: own.get(id), peer: peers.get(id), leader }),
  );
  return {
    rows,
    ...verdict(rows, { leader, isFounded: informed !== undefined && informed.clusterId !== null }),
  };
}

interface Member {
  readonly id: string;
  readonly isVoter: boolean;
  readonly self: StatusBody | undefined;
  readonly peer: PeerBody | undefined;
  readonly leader: StatusBody | undefined;
}

function rowOf({ id, isVoter, self, peer, leader }: Member): StatusRow {
  const lastIndex = self?.lastIndex ?? peer?.matchIndex ?? null;
  return {
    id,
    role: self?.role ?? roleFrom(peer, isVoter),
    isVoter,
    term: self?.term ?? null,
    lastIndex,
    commitIndex: self?.commitIndex ?? null,
    lastApplied: self?.lastApplied ?? null,
    lag: leader?.id === id ? 0 : (peer?.lag ?? null),
    rttMs: peer?.rttMs ?? null,
    link: peer === undefined ? null : linkOf(peer),
  };
}

/** What a member that gave no answer must be doing, going by its leader. */
function roleFrom(peer: PeerBody | undefined, isVoter: boolean): StatusRow['role'] {
  if (peer === undefined) return 'unknown';
  if (peer.state === 'unreachable') return 'down';
  return isVoter ? 'follower' : 'learner';
}

function linkOf({ state, unreachableMs }: PeerBody): string {
  return unreachableMs === undefined ? state : `${state} ${Math.round(unreachableMs / 1000)} s`;
}

/** The one that knows most: of the highest term, and in it of the highest commit. */
function latest(answers: readonly StatusBody[]): StatusBody | undefined {
  return [...answers].sort((a, b) => b.term - a.term || b.commitIndex - a.commitIndex)[0];
}

function verdict(
  rows: readonly StatusRow[],
  { leader, isFounded }: { readonly leader: StatusBody | undefined; readonly isFounded: boolean },
): Pick<ClusterStatus, 'summary' | 'level'> {
  if (!isFounded) {
    return {
      summary: 'Not founded yet: for its first start every declared member must be up.',
      level: 'stopped',
    };
  }
  const voters = rows.filter(({ isVoter }) => isVoter);
  const up = voters.filter(
    ({ role, link }) => role !== 'down' && role !== 'unknown' && !isCutOff(link),
  ).length;
  const of = `${up} of ${voters.length} voters`;
  const spare = up - (Math.floor(voters.length / 2) + 1);
  if (spare < 0) return { summary: `No quorum: ${of}. Writes wait for ${-spare} more.`, level: 'stopped' };
  if (leader === undefined) {
    return { summary: `No leader: ${of} answer. Writes wait until one is elected.`, level: 'stopped' };
  }
  if (up < voters.length) {
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

function isCutOff(link: string | null): boolean {
  return link?.startsWith('unreachable') === true;
}

function failures(count: number, more: string): string {
  if (count === 0) return 'No failures';
  return count === 1 ? `One ${more}failure` : `${count} ${more}failures`;
}

function stops(spare: number): string {
  return spare === 0 ? 'stops' : 'stop';
}
