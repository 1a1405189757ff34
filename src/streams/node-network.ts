import { EMPTY, type Observable } from 'rxjs';
import {
  type Configuration,
  configurationOf,
  isSamePeer,
  type Member,
  membersOf,
  type NodeId,
  type Peer,
  type State,
} from '../core/index.ts';
import type { Founding } from '../storage/storage.ts';
import { judgeHello } from '../transport/admission.ts';
import { TransportError } from '../transport/errors.ts';
import {
  type HandshakeRefusal,
  type Hello,
  type LinkStatus,
  type MemberAddress,
  type PeerFrame,
  protocolVersion,
  type Transport,
  type TransportEvent,
} from '../transport/transport.ts';
import { Dialing } from './dialing.ts';
import { textOf } from './errors.ts';
import { Invitations, type LearnedStore } from './invitations.ts';
import type { Settings } from './options.ts';
import { lists, PeerAddresses } from './peer-addresses.ts';
import type { RefusalStatus } from './raft-node.ts';
import { Refusals } from './refusals.ts';

/** What a {@link NodeNetwork} works with. */
export interface NodeNetworkOptions {
  /** None in a cluster of one. */
  readonly transport: Transport | undefined;
  readonly settings: Settings;
  readonly self: Peer;
  readonly bootCounter: number;
  /** What the store belongs to now. */
  readonly founding: () => Founding | null;
  readonly state: () => State | null;
}

/** Connected nodes that the own configuration does not list: as many as one that was missed could have, two in one. */
const strangersMax = 100;

/** The transport as one node uses it: who may speak with it, and what it says. Whom it speaks with is up to {@link Dialing}. */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #addresses: PeerAddresses;
  readonly #invitations: Invitations;
  readonly #dialing: Dialing;
  /** The latest hello of each peer with an open connection. */
  readonly #connected = new Map<NodeId, Hello>();
  readonly #refusals: Refusals;
  /** Another start has opened the transport: a node that runs may speak through it. */
  #isOfAnother = false;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.settings.clock);
    const configurations = () => this.#configurations();
    this.#addresses = new PeerAddresses({ ...options, configurations });
    this.#invitations = new Invitations(() => this.#dialing.redial());
    this.#dialing = new Dialing({
      ...options,
      addresses: this.#addresses,
      invitations: this.#invitations,
    });
  }

  get event$(): Observable<TransportEvent> {
    return this.#options.transport?.event$ ?? EMPTY;
  }

  get links(): readonly LinkStatus[] {
    return this.#options.transport?.links() ?? [];
  }

  /** Who was refused within the last minute, or refused this node, and is not connected with it since. */
  get refusals(): readonly RefusalStatus[] {
    return this.#refusals.all;
  }

  /**
   * Why this node, which belongs to no cluster, is kept out of one, where that will not pass by itself: its name is that of
   * a store that was lost or of one that is there, it was started with another list of members, or it was to found a cluster that is there, without it.
   */
  get exclusion(): RefusalStatus | null {
    const isFounder = this.#options.settings.members.length > 0;
    const isLasting = ({ by, code }: RefusalStatus): boolean =>
      code === 'wipedStore' ||
      (by === 'peer' &&
        (code === 'otherMembers' || code === 'nameInUse' || (code === 'notAMember' && isFounder)));
    return this.refusals.findLast(isLasting) ?? null;
  }

  /** The members whose data are gone: each came with an empty store, and was not let in. */
  get wiped(): readonly RefusalStatus[] {
    const members = this.#members();
    const isMember = (id: NodeId): boolean => members.some((member) => member.id === id);
    return this.refusals.filter(({ by, code, id }) => by === 'us' && code === 'wipedStore' && isMember(id));
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    try {
      await this.#options.transport?.open({
        hello: () => this.#introduceSelf(),
        admit: (hello, dialedUrl) => this.#admit(hello, dialedUrl),
      });
    } catch (error) {
      this.#isOfAnother = error instanceof TransportError && error.code === 'RAFT_TRANSPORT_USED';
      throw error;
    }
  }

  async close(): Promise<void> {
    if (!this.#isOfAnother) await this.#options.transport?.close();
  }

  #introduceSelf(): Hello {
    const hello = this.#hello();
    this.#dialing.onIntroduced(hello);
    return hello;
  }

  /** How this node introduces itself. */
  #hello(): Hello {
    const { settings, self, bootCounter, founding } = this.#options;
    return {
      protocolVersion,
      clusterId: founding()?.clusterId ?? null,
      id: self.id,
      storeId: self.storeId,
      bootCounter,
      members: this.#membersToTell(settings.members),
    };
  }

  /** Who is in the cluster: what was declared, and once founded, the members now. A node that joins learns it so. */
  #membersToTell(declared: readonly MemberAddress[]): readonly MemberAddress[] {
    const state = this.#options.state();
    if (state === null) return declared;
    return membersOf(configurationOf(state)).map(({ id, url }) => ({ id, url }));
  }

  /** Judges how a peer introduces itself. */
  #admit(hello: Hello, dialedUrl: string | undefined): HandshakeRefusal | null {
    const members = this.#members();
    this.#invitations.answer(hello, (url) => isAt(url, hello, dialedUrl));
    const connected = this.#connected.get(hello.id);
    const refusal = judgeHello({ hello: this.#hello(), members, connected }, hello);
    const isMember = connected !== undefined && lists(members, connected);
    // Its name is in use by another store now, and the old connection may not have ended yet. A member does not lose its name to
    // a store that is refused.
    if (connected?.storeId !== hello.storeId && !(isMember && refusal !== null))
      this.#connected.delete(hello.id);
    return refusal ?? this.#judgeCrowd(members, hello);
  }

  /** Any number of stores may hold a configuration of this cluster: those that were members, and copies. */
  #judgeCrowd(members: readonly Member[], { id, storeId }: Hello): HandshakeRefusal | null {
    if (lists(members, { id, storeId }) || this.#connected.has(id)) return null;
    let strangers = 0;
    for (const peer of this.#connected.values()) if (!lists(members, peer)) strangers += 1;
    if (strangers < strangersMax) return null;
    const { self } = this.#options;
    return {
      code: 'notAMember',
      reason: `${id} is not in the configuration that ${self.id} knows, nor are ${strangers} others that are connected to it, and no more are let in; stop the nodes that were removed, or are copies`,
    };
  }

  /** A connection is open. If we do not know who dialed us, we are joining, or have missed that it did. */
  onUp(hello: Hello, direction: 'outgoing' | 'incoming' = 'incoming'): void {
    this.#connected.set(hello.id, hello);
    this.#refusals.forget(hello.id);
    this.#addresses.onUp(hello, direction);
    this.#dialing.onUp(hello, direction);
  }

  /** This node does not want to be connected with a peer, or the peer with this node. */
  onRefused({ by, id, refusal }: Extract<TransportEvent, { type: 'refused' }>): void {
    if (id !== null) this.#refusals.add({ id, by, code: refusal.code, reason: refusal.reason });
  }

  /** No connection is open with this peer. If it comes back, it introduces itself again. */
  onDown(id: NodeId): void {
    this.#connected.delete(id);
    if (this.#addresses.onDown(id)) this.#dialing.redial();
  }

  /** Time passes: some are dialed elsewhere. */
  onTick(): void {
    this.#dialing.onTick();
  }

  /** This node would follow that very store, and could not tell it: it is dialed where it is, for a while. */
  favor(peer: Peer): void {
    if (this.#addresses.favor(peer)) this.#dialing.redial();
  }

  /** Keeps connections to these. Throws if one has an address that can't be dialed. */
  dial(members: readonly MemberAddress[]): void {
    this.#dialing.dial(members);
  }

  /** Keeps connections to those of the configurations in effect, the latest last, and to those who dialed us and are not in them. */
  dialMembers(configurations: readonly Configuration[]): void {
    this.#refusals.forgetOurs();
    this.#addresses.goBy(configurations);
    this.#dialing.redial();
  }

  /**
   * Asks the node at an address which store it has, before it is a member, until it is told to stop.
   *
   * `isReplaced`: another store of that name is removed with the same change. It may be gone, and nobody have noticed: what
   * it told does not count, nor is the connection with it kept; nor that of one that was removed a moment ago.
   */
  learnStore(
    address: MemberAddress,
    { isReplaced = false }: { readonly isReplaced?: boolean } = {},
  ): LearnedStore {
    const { id } = address;
    const isAskedAnew = (isReplaced || this.#addresses.isFormer(id)) && id !== this.#options.self.id;
    if (isAskedAnew) this.#dialing.dialAnew(id);
    return this.#invitations.learn(address, isAskedAnew ? undefined : this.#storeAt(address));
  }

  /** The store of this node, or of one that is connected, unless it is to be found at another address. */
  #storeAt({ id, url }: MemberAddress): string | undefined {
    const { self } = this.#options;
    const peer = id === self.id ? self : this.#connected.get(id);
    if (peer === undefined) return undefined;
    const listed = this.#members().filter((member) => isSamePeer(member, peer));
    const told = this.#connected.get(id)?.members.filter((member) => member.id === id) ?? [];
    const isListedHere = [...listed, ...told].some((address) => address.url === url);
    return isListedHere || (peer === self && listed.length === 0) ? peer.storeId : undefined;
  }

  /** The configurations in the log, the latest last; before there is a log, what the store was founded with. */
  #configurations(): readonly Configuration[] {
    const state = this.#options.state();
    if (state !== null) return state.configurations.map(({ configuration }) => configuration);
    const founding = this.#options.founding();
    return founding === null ? [] : [founding.configuration];
  }

  /** Those of the configuration in effect. */
  #members(): readonly Member[] {
    const configuration = this.#configurations().at(-1);
    return configuration === undefined ? [] : membersOf(configuration);
  }

  /** Lossy is fine, and no frame is worth the node: what can't be sent is dropped. */
  send(to: Peer, frame: PeerFrame): boolean {
    try {
      return this.#options.transport?.send(to, frame) ?? false;
    } catch (error) {
      const message = `a ${frame.type} frame could not be sent: ${textOf(error)}`;
      this.#options.settings.logger.error({ to: to.id, error }, message);
      return false;
    }
  }

  /** The member of this name as far as this node knows, once a change that is under way is complete. */
  lastingMember(id: NodeId): Member | undefined {
    const { voters = [], learners = [] } = this.#configurations().at(-1) ?? {};
    return [...voters, ...learners].find((candidate) => candidate.id === id);
  }

  /** Sends to a member by its name. */
  sendTo(id: NodeId, frame: PeerFrame): boolean {
    const member = this.#members().find((candidate) => candidate.id === id);
    return member !== undefined && this.send(member, frame);
  }

  /** A peer offers a founding that is not this store's to take, such as one in which this node's name is that of a store that was lost. */
  refuseFounding(id: NodeId, { code, reason }: HandshakeRefusal): void {
    this.#refusals.add({ id, by: 'us', code, reason });
    this.hangUp(id, reason);
  }

  /** Closes the connections of a peer that broke the rules. */
  hangUp(id: NodeId, reason: string): void {
    this.#options.transport?.hangUp(id, reason);
  }
}

/** Whether a peer was dialed at this address, or has dialed us and says that it is there. Another store may have the same name. */
function isAt(url: string, { id, members }: Hello, dialedUrl: string | undefined): boolean {
  if (dialedUrl !== undefined) return dialedUrl === url;
  return members.some((address) => address.id === id && address.url === url);
}
