import { isSamePeer, type Member, type NodeId, type Peer } from '../core/index.ts';
import { declaredProblem, isSameList, sorted } from './declared-members.ts';
import type { FoundFrame, HandshakeRefusal, Hello, MemberAddress, PeerFrame } from './transport.ts';

/** The cluster that a store belongs to: its random id, and the configuration it began with (index 0, term 0). */
export interface FoundedCluster {
  readonly clusterId: string;
  readonly voters: readonly Member[];
}

/**
 * Where a node stands on its way to a founded cluster (design §4, Founding). Plain data.
 *
 * Why two nodes never found one cluster twice: a founder needs every declared member on the line, with an
 * empty store and a list equal to its own. Equal lists have the same lowest name, so at most that one node
 * founds; a node with a founding, or one that hears of a founding, never founds. A member that loses its
 * store between its hello and the founding is listed with the store it had, and refuses the frame. Should
 * a founder lose its store right after handing the founding on, and found anew with members that had not
 * heard, then the two clusters have different ids, name different stores of the founder, and refuse each
 * other: no vote or acknowledgement of one ever counts in the other.
 */
export interface FoundingState {
  readonly self: Peer;
  /** Who founds the cluster, this node included. Empty on a node that joins an existing cluster. */
  readonly declared: readonly MemberAddress[];
  /** The latest hello of each peer with an open connection. */
  readonly heard: ReadonlyMap<NodeId, Hello>;
  /** `null` until the founding is decided here or received. */
  readonly founding: FoundedCluster | null;
  /** Whether `founding` is on disk. Until then nobody is told of it. */
  readonly isDurable: boolean;
  /** The stores that the cluster's configuration lists now; at first the founding voters. */
  readonly members: readonly Peer[];
  /** Stores known to have the founding durably. */
  readonly acked: readonly Peer[];
  /** Who handed us the founding before it was durable here. */
  readonly owed: readonly NodeId[];
}

/** What happens to a {@link FoundingState}. */
export type FoundingEvent =
  /** The node has started. `newClusterId` is random: the id of the cluster should this node found it. */
  | { readonly type: 'started'; readonly newClusterId: string }
  /** The transport admitted a peer, in either direction. `newClusterId` as above. */
  | { readonly type: 'helloSeen'; readonly hello: Hello; readonly newClusterId: string }
  | { readonly type: 'foundReceived'; readonly from: Peer; readonly found: FoundFrame }
  /** What `persistFounding` asked for is on disk, flushed. */
  | { readonly type: 'foundDurable' }
  | { readonly type: 'ackReceived'; readonly from: Peer; readonly clusterId: string }
  /** No connection is open with this peer. */
  | { readonly type: 'peerGone'; readonly id: NodeId }
  /** The configuration in effect changed: who else is to be handed the founding. */
  | { readonly type: 'membersChanged'; readonly members: readonly Peer[] }
  /** A second or so has passed: frames may have been lost, so what is not acknowledged is sent again. */
  | { readonly type: 'resendDue' };

/** What a {@link foundingStep} asks for. */
export type FoundingAction =
  /** Make this durable, then report `foundDurable`. At most once in the life of a store. */
  | { readonly type: 'persistFounding'; readonly founding: FoundedCluster }
  | { readonly type: 'send'; readonly to: Peer; readonly frame: PeerFrame }
  /** Close that peer's connections: it offers a founding that is not ours to take. */
  | { readonly type: 'hangUp'; readonly id: NodeId; readonly refusal: HandshakeRefusal };

/** The next state, and what to do. */
export interface FoundingStep {
  readonly state: FoundingState;
  readonly actions: readonly FoundingAction[];
}

/** The state of a node that starts, from what its store holds: `founding` is `null` in an empty one. */
export function beginFounding(node: {
  readonly self: Peer;
  readonly declared: readonly MemberAddress[];
  readonly founding: FoundedCluster | null;
}): FoundingState {
  const { self, declared, founding } = node;
  return {
    self,
    declared,
    heard: new Map(),
    founding,
    isDurable: founding !== null,
    members: founding?.voters ?? [],
    acked: [],
    owed: [],
  };
}

/** The founding as one pure function. Any event is answered in any state. */
export function foundingStep(state: FoundingState, event: FoundingEvent): FoundingStep {
  switch (event.type) {
    case 'started':
      return foundIfComplete(state, event.newClusterId);
    case 'helloSeen':
      return onHello(state, event);
    case 'foundReceived':
      return onFound(state, event);
    case 'foundDurable':
      return onDurable(state);
    case 'ackReceived':
      return onAck(state, event);
    case 'peerGone':
      return only({ ...state, heard: without(state.heard, event.id) });
    case 'membersChanged':
      return handOn({ ...state, members: event.members });
    case 'resendDue':
      return handOn(state);
    default:
      return only(state);
  }
}

/** Whether somebody who is connected still has to acknowledge: as long as so, `resendDue` is worth sending. */
export function isHandingOn(state: FoundingState): boolean {
  return unacknowledged(state).length > 0;
}

function onHello(
  state: FoundingState,
  { hello, newClusterId }: { hello: Hello; newClusterId: string },
): FoundingStep {
  if (hello.id === state.self.id) return only(state);
  const heard = new Map(state.heard).set(hello.id, hello);
  const next = { ...state, heard };
  return state.founding === null ? foundIfComplete(next, newClusterId) : handOn(next, hello.id);
}

/** Founds the cluster if that is up to this node, and everyone declared is there with an empty store. */
function foundIfComplete(state: FoundingState, clusterId: string): FoundingStep {
  if (state.founding !== null || !isFounder(state)) return only(state);
  const voters: Member[] = [];
  for (const { id, url } of sorted(state.declared)) {
    const storeId = id === state.self.id ? state.self.storeId : emptyStoreOf(state, id);
    if (storeId === null) return only(state);
    voters.push({ id, storeId, url });
  }
  return keep(state, { clusterId, voters });
}

/** The lowest name founds; names are compared with `<`, the same on every machine. */
function isFounder({ self, declared }: FoundingState): boolean {
  return declaredProblem(self.id, declared) === null && sorted(declared)[0]?.id === self.id;
}

/** The store of a connected peer that has no cluster yet and declares the same members; otherwise `null`. */
function emptyStoreOf(state: FoundingState, id: NodeId): string | null {
  const hello = state.heard.get(id);
  const isEmpty =
    hello !== undefined && hello.clusterId === null && isSameList(hello.members, state.declared);
  return isEmpty ? hello.storeId : null;
}

/** Asks for the disk. Nobody is told before it is durable: a crash must not forget what others were told. */
function keep(state: FoundingState, founding: FoundedCluster): FoundingStep {
  return {
    state: { ...state, founding, isDurable: false, members: founding.voters },
    actions: [{ type: 'persistFounding', founding }],
  };
}

function onFound(state: FoundingState, { from, found }: { from: Peer; found: FoundFrame }): FoundingStep {
  if (state.founding !== null) return onFoundAgain(state, { from, found });
  const isJoining = state.declared.length === 0;
  const isListed = has(found.voters, state.self);
  if (!isFounding(found))
    return refuse(state, from, {
      code: 'otherMembers',
      reason: 'its founding names no member, or one twice',
    });
  if (!isListed && !isJoining)
    return refuse(state, from, { code: 'wipedStore', reason: notListed(state, found) });
  const kept = keep(state, { clusterId: found.clusterId, voters: sorted(found.voters) });
  return { state: { ...kept.state, acked: [peerOf(from)], owed: [from.id] }, actions: kept.actions };
}

function isFounding({ voters }: FoundFrame): boolean {
  return voters.length > 0 && new Set(voters.map((voter) => voter.id)).size === voters.length;
}

function onFoundAgain(
  state: FoundingState,
  { from, found }: { from: Peer; found: FoundFrame },
): FoundingStep {
  if (!isSameCluster(state.founding, found)) {
    const reason = `it offers the founding of cluster ${found.clusterId}, this node belongs to ${state.founding?.clusterId}`;
    return refuse(state, from, { code: 'otherCluster', reason });
  }
  const known = { ...state, acked: withPeer(state.acked, from) };
  if (state.isDurable) return { state: known, actions: [ackTo(from, found.clusterId)] };
  return only({ ...known, owed: [...state.owed.filter((id) => id !== from.id), from.id] });
}

/**
 * A store that was wiped after its hello meets a founding that lists the store it was. Taking it would let the
 * new store speak for promises of the old one (rule 9).
 */
function notListed({ self }: FoundingState, { clusterId, voters }: FoundFrame): string {
  const namesake = voters.find((voter) => voter.id === self.id);
  const instead =
    namesake === undefined ? 'does not list this node' : `lists ${self.id} with store ${namesake.storeId}`;
  return `its founding of cluster ${clusterId} ${instead}; this is ${self.id} with store ${self.storeId}, which was to found a cluster and takes no founding but its own. If its path is wrong, start it with the folder it had. If its data are gone, run \`rxraft remove ${self.id}\` on a member unless that has been done, then start it with \`--join http://HOST:PORT\` of a member in place of \`--members\``;
}

function onDurable(state: FoundingState): FoundingStep {
  if (state.founding === null || state.isDurable) return only(state);
  const { clusterId } = state.founding;
  const acks = state.owed.flatMap((id) => {
    const hello = state.heard.get(id);
    return hello === undefined ? [] : [ackTo(peerOf(hello), clusterId)]; // Gone: it will hand it on again.
  });
  const next = handOn({ ...state, isDurable: true, owed: [] });
  return { state: next.state, actions: [...acks, ...next.actions] };
}

function onAck(state: FoundingState, { from, clusterId }: { from: Peer; clusterId: string }): FoundingStep {
  if (state.founding?.clusterId !== clusterId) return only(state);
  return only({ ...state, acked: withPeer(state.acked, from) });
}

/** Hands the founding on to connected stores that the configuration lists and that have not acknowledged. */
function handOn(state: FoundingState, onlyTo?: NodeId): FoundingStep {
  const { founding } = state;
  if (founding === null) return only(state);
  const frame: FoundFrame = { type: 'found', ...founding };
  const peers = unacknowledged(state).filter((peer) => onlyTo === undefined || peer.id === onlyTo);
  return { state, actions: peers.map((to) => ({ type: 'send', to, frame })) };
}

function unacknowledged(state: FoundingState): readonly Peer[] {
  if (!state.isDurable) return [];
  const peers = [...state.heard.values()].filter((hello) => hello.clusterId === null).map(peerOf);
  return peers.filter((peer) => has(state.members, peer) && !has(state.acked, peer));
}

function refuse(state: FoundingState, { id }: Peer, refusal: HandshakeRefusal): FoundingStep {
  return { state, actions: [{ type: 'hangUp', id, refusal }] };
}

function ackTo(to: Peer, clusterId: string): FoundingAction {
  return { type: 'send', to, frame: { type: 'foundAck', clusterId } };
}

function only(state: FoundingState): FoundingStep {
  return { state, actions: [] };
}

function isSameCluster(founding: FoundedCluster | null, found: FoundFrame): boolean {
  if (founding === null || founding.clusterId !== found.clusterId) return false;
  const isSameLength = founding.voters.length === found.voters.length;
  return (
    isSameLength &&
    isSameList(founding.voters, found.voters) &&
    found.voters.every((peer) => has(founding.voters, peer))
  );
}

function peerOf({ id, storeId }: Peer): Peer {
  return { id, storeId };
}

function has(peers: readonly Peer[], peer: Peer): boolean {
  return peers.some((other) => isSamePeer(other, peer));
}

function withPeer(peers: readonly Peer[], peer: Peer): readonly Peer[] {
  return has(peers, peer) ? peers : [...peers, peerOf(peer)];
}

function without(heard: ReadonlyMap<NodeId, Hello>, id: NodeId): ReadonlyMap<NodeId, Hello> {
  const rest = new Map(heard);
  rest.delete(id);
  return rest;
}
