import type { Index, NodeId, Peer } from './types.ts';

/** A member of the cluster, as its configuration lists it. */
export interface Member extends Peer {
  /** Where its peers reach it: a WebSocket URL such as `ws://10.0.0.1:7101`; empty where cores are driven without addresses. */
  readonly url: string;
  /** On a learner: the leader makes it a voter once it has caught up (thesis §4.2.1). */
  readonly willVote?: true;
}

/**
 * Who is in the cluster (§6).
 *
 * While a change is under way (joint consensus) `votersOutgoing` holds the voters of the old
 * configuration, and both halves must agree; otherwise it is empty.
 */
export interface Configuration {
  readonly voters: readonly Member[];
  readonly votersOutgoing: readonly Member[];
  /** They receive the log and do not vote (thesis §4.2.1). */
  readonly learners: readonly Member[];
}

/** A configuration and the index of the entry that brought it; the founding one is at index 0. */
export interface ConfigurationAt {
  readonly index: Index;
  readonly configuration: Configuration;
}

/** A configuration of voters only. */
export function votersOnly(voters: readonly Member[]): Configuration {
  return { voters, votersOutgoing: [], learners: [] };
}

/** Whether no name stands twice in one half of it. */
export function hasNoTwins({ voters, votersOutgoing, learners }: Configuration): boolean {
  const isSet = (members: readonly Member[]) => new Set(members.map(({ id }) => id)).size === members.length;
  return isSet(votersOutgoing) && isSet([...voters, ...learners]);
}

/** Every member once, voters first. */
export function membersOf(configuration: Configuration): readonly Member[] {
  const { voters, votersOutgoing, learners } = configuration;
  if (votersOutgoing.length === 0 && learners.length === 0) return voters;
  const byId = new Map<NodeId, Member>();
  for (const member of [...voters, ...votersOutgoing, ...learners]) {
    if (!byId.has(member.id)) byId.set(member.id, member);
  }
  return [...byId.values()];
}

/** Whether this peer, by name and by store, has a vote in either half of the configuration. */
export function isVoter(configuration: Configuration, peer: Peer): boolean {
  return holds(configuration.voters, peer) || holds(configuration.votersOutgoing, peer);
}

function holds(members: readonly Member[], peer: Peer): boolean {
  for (const { id, storeId } of members) if (id === peer.id && storeId === peer.storeId) return true;
  return false;
}
