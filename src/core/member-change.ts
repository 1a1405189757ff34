import type { Configuration, Member } from './configuration.ts';
import type { MemberChange } from './input.ts';
import { countProblem } from './member-rules.ts';
import { isSamePeer, type NodeId, type Peer } from './types.ts';

/** Who the members are to be, or why not, in words. */
export type Change =
  | { readonly type: 'configuration'; readonly configuration: Configuration }
  | { readonly type: 'problem'; readonly problem: string };

/** What a leader knows of a learner. */
export interface Readiness {
  /** Whether this learner has caught up, so that its vote would not hold up the cluster (thesis §4.2.1). */
  readonly isCaughtUp: (learner: Peer) => boolean;
}

/**
 * The configuration after these changes, taken in order, from one that is not joint. Their names, stores and URLs have been
 * looked at: `member-rules.ts`.
 */
export function changed(
  current: Configuration,
  changes: readonly MemberChange[],
  readiness: Readiness,
): Change {
  const members: Members = { voters: byId(current.voters), learners: byId(current.learners) };
  for (const change of changes) {
    const problem = take(members, change, readiness);
    if (problem !== undefined) return { type: 'problem', problem };
  }
  if (members.voters.size === 0) return { type: 'problem', problem: 'no voter would be left' };
  const problem = countProblem(members.voters.size + members.learners.size);
  if (problem !== undefined) return { type: 'problem', problem };
  const configuration: Configuration = {
    voters: [...members.voters.values()],
    votersOutgoing: [],
    learners: [...members.learners.values()],
  };
  return { type: 'configuration', configuration };
}

/** The configuration to propose on the way to `target`: a joint one if the voters change (§6), else `target` itself. */
export function towards(current: Configuration, target: Configuration): Configuration {
  const isSame =
    current.voters.length === target.voters.length &&
    current.voters.every((voter) => target.voters.some((other) => isSamePeer(voter, other)));
  return isSame ? target : { ...target, votersOutgoing: current.voters };
}

interface Members {
  readonly voters: Map<NodeId, Member>;
  readonly learners: Map<NodeId, Member>;
}

function byId(members: readonly Member[]): Map<NodeId, Member> {
  return new Map(members.map((member) => [member.id, member]));
}

function take(members: Members, change: MemberChange, { isCaughtUp }: Readiness): string | undefined {
  const { voters, learners } = members;
  if (change.type === 'add') return add(members, change);
  const { id } = change;
  const member = voters.get(id) ?? learners.get(id);
  if (member === undefined) return `${id} is not a member`;
  const { willVote: _, ...plain } = member;
  switch (change.type) {
    case 'remove':
      voters.delete(id);
      learners.delete(id);
      return undefined;
    case 'promote':
      if (voters.has(id)) return `${id} is a voter already`;
      if (!isCaughtUp(member)) return `${id} has not caught up with the log yet: ask again once it has`;
      learners.delete(id);
      voters.set(id, plain);
      return undefined;
    case 'demote':
      if (learners.has(id)) return `${id} is a learner already`;
      voters.delete(id);
      learners.set(id, plain);
      return undefined;
    case 'move':
      (voters.has(id) ? voters : learners).set(id, { ...member, url: change.url });
      return undefined;
  }
}

function add(
  { voters, learners }: Members,
  { member, role }: Extract<MemberChange, { type: 'add' }>,
): string | undefined {
  const { id, storeId, url } = member;
  if (voters.has(id) || learners.has(id))
    return `${id} is a member already; remove it first if its store is another one`;
  learners.set(id, role === 'voter' ? { id, storeId, url, willVote: true } : { id, storeId, url });
  return undefined;
}
