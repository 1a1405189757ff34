import { EMPTY, type Observable, of, ReplaySubject } from 'rxjs';
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
import { TransportError } from '../transport/errors.ts';
import { judgeHello } from '../transport/founding.ts';
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
import { AddressSearch, type Whereabouts } from './address-search.ts';
import { textOf } from './errors.ts';
import { Introductions } from './introductions.ts';
import type { Settings } from './options.ts';

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

/** A node that is asked for its store. */
interface Invited {
  readonly address: MemberAddress;
  readonly resolve: (storeId: string) => void;
}

/** Connected nodes that the own configuration does not list: as many as one that was missed could have, two in one. */
const strangersMax = 100;
/** Addresses at which one node is looked for. */
const urlsMax = 6;
/** Addresses that a member had before the latest ones, as far as the configurations tell that this node still has. */
const earlierUrlsMax = 2;
/** Milliseconds for which a store is dialed that this node would follow, though the configuration lists another under its name. */
const favoredMs = 4_000;

/** The transport as one node uses it: who may speak with it, whom it speaks with, and what it says. */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  readonly #search: AddressSearch;
  readonly #introductions = new Introductions();
  /** The latest hello of each peer with an open connection. */
  readonly #connected = new Map<NodeId, Hello>();
  /** The store that answered last where a name was dialed. */
  readonly #answered = new Map<NodeId, string>();
  /** Nodes that are asked for their store before they are added. */
  readonly #invited = new Set<Invited>();
  /** Addresses that the transport could not dial last time. */
  #undialed: ReadonlySet<string> = new Set();
  /** How a peer refused this node, most lately and since it was connected with that peer. */
  #refusal: { readonly id: NodeId; readonly refusal: HandshakeRefusal } | null = null;
  /** It introduced itself without an address: it was not in its own configuration yet. */
  #isAddressUntold = false;
  /** The configurations in effect, the latest last. */
  #inEffect: readonly Configuration[] | null = null;
  /** A store that this node would follow, and until when it is dialed instead of the one that is listed under its name. */
  #favored: { readonly peer: Peer; readonly untilMs: number } | null = null;
  /** Another start has opened the transport: a node that runs may speak through it. */
  #isOfAnother = false;
  #isDialing = false;
  /** Something happened while the peers were given to the transport. */
  #isRedialDue = false;
  /** Members that are reached elsewhere than the configuration says, as far as this has been logged. */
  readonly #elsewhere = new Map<NodeId, string>();

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    const { clock, config } = options.settings;
    this.#search = new AddressSearch({ clock, briefMs: config.electionTimeoutMsMin / 2 });
  }

  get event$(): Observable<TransportEvent> {
    return this.#options.transport?.event$ ?? EMPTY;
  }

  get links(): readonly LinkStatus[] {
    return this.#options.transport?.links() ?? [];
  }

  /**
   * Why a peer does not let this node in, which belongs to no cluster, where that will not pass by itself: its name is that of
   * a store that was lost, or it was started with another list of members.
   */
  get exclusion(): { readonly id: NodeId; readonly reason: string } | null {
    if (this.#refusal === null) return null;
    const { id, refusal } = this.#refusal;
    const isLasting = refusal.code === 'wipedStore' || refusal.code === 'otherMembers';
    return isLasting ? { id, reason: refusal.reason } : null;
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    try {
      await this.#options.transport?.open({
        hello: () => this.#introduceSelf(),
        admit: (hello) => this.#admit(hello),
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
    if (!hello.members.some(({ id }) => id === hello.id)) this.#isAddressUntold = true;
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
      members: this.#addresses(settings.members),
    };
  }

  /** Judges how a peer introduces itself. */
  #admit(hello: Hello): HandshakeRefusal | null {
    const configuration = this.#configuration();
    const members = configuration === undefined ? [] : membersOf(configuration);
    for (const { address, resolve } of this.#invited) {
      if (address.id === hello.id && !isElsewhere(members, hello, address.url)) resolve(hello.storeId);
    }
    // Its name is in use by another store now, and the old connection may not have ended yet.
    if (this.#connected.get(hello.id)?.storeId !== hello.storeId) this.#connected.delete(hello.id);
    return judgeHello({ hello: this.#hello(), members }, hello) ?? this.#judgeCrowd(members, hello);
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

  /** Who is in the cluster: what was declared, and once founded, the members now. A node that joins learns it so. */
  #addresses(declared: readonly MemberAddress[]): readonly MemberAddress[] {
    const state = this.#options.state();
    if (state === null) return declared;
    return membersOf(configurationOf(state)).map(({ id, url }) => ({ id, url }));
  }

  /**
   * A connection is open. If we do not know who dialed us, we are joining, or have missed that it did. Who does not lead
   * by our own configuration may well lead by that of the others, and nothing reaches us unless it hears our answers.
   */
  onUp(hello: Hello, direction: 'outgoing' | 'incoming' = 'incoming'): void {
    const { id, storeId, clusterId, members } = hello;
    this.#connected.set(id, hello);
    if (this.#refusal?.id === id) this.#refusal = null;
    if (direction === 'outgoing') this.#answered.set(id, storeId);
    if (clusterId !== null) this.#introductions.add(hello, this.#wantedStore(id));
    this.#redial();
    const own = members.find((member) => member.id === id);
    const isNews = direction === 'incoming' && clusterId !== null && own !== undefined;
    if (isNews && this.#search.turnTo(own)) this.#redial();
  }

  /** A peer does not want to be connected with this node. */
  onRefused(id: NodeId, refusal: HandshakeRefusal): void {
    this.#refusal = { id, refusal };
  }

  /** No connection is open with this peer. If it comes back, it introduces itself again. */
  onDown(id: NodeId): void {
    this.#connected.delete(id);
    this.#answered.delete(id);
    if (this.#introductions.leave(id)) this.#redial();
  }

  /** Dials elsewhere who has not answered for a while, or whose connection has closed. */
  onTick(): void {
    let open: ReadonlySet<NodeId> | undefined;
    const isOpen = (id: NodeId): boolean => {
      open ??= this.#openLinks();
      return open.has(id);
    };
    const hasWaned = this.#favored !== null && this.#favored.untilMs <= this.#options.settings.clock();
    if (this.#isRedialDue || hasWaned || this.#search.isDue(isOpen)) this.#redial();
  }

  /**
   * This node would follow that very store, and could not tell it: perhaps its configuration lists another store under that
   * name since it has missed a change. For a while, the name is dialed where that store is.
   */
  favor(peer: Peer): void {
    const wanted = this.#wantedStore(peer.id);
    if (wanted === undefined || wanted === peer.storeId) return;
    if (this.#introductions.addressOf(peer).length === 0) return;
    this.#favored = { peer, untilMs: this.#options.settings.clock() + favoredMs };
    this.#redial();
  }

  #configuration(): Configuration | undefined {
    const state = this.#options.state();
    return state === null ? this.#options.founding()?.configuration : configurationOf(state);
  }

  /** Keeps connections to these. Throws if one has an address that can't be dialed. */
  dial(members: readonly MemberAddress[]): void {
    const { transport, self } = this.#options;
    transport?.setPeers(members.filter((member) => member.id !== self.id));
  }

  /**
   * Asks the node at an address which store it has, before it is a member: the transport dials it, and it introduces
   * itself. Asks until it is told to stop. Who is connected with that address has done so, and would not do it again.
   */
  learnStore(address: MemberAddress): { readonly storeId$: Observable<string>; stop(): void } {
    const known = this.#storeAt(address);
    if (known !== undefined) return { storeId$: of(known), stop: () => undefined };
    const storeId$ = new ReplaySubject<string>(1);
    const invited: Invited = { address, resolve: (storeId) => storeId$.next(storeId) };
    this.#invited.add(invited);
    this.#redial();
    const stop = () => {
      this.#invited.delete(invited);
      this.#redial();
    };
    return { storeId$, stop };
  }

  /** The store of this node, or of one that is connected, unless it is to be found at another address. */
  #storeAt({ id, url }: MemberAddress): string | undefined {
    const { self } = this.#options;
    const peer = id === self.id ? self : this.#connected.get(id);
    if (peer === undefined) return undefined;
    const configuration = this.#configuration();
    const members = configuration === undefined ? [] : membersOf(configuration);
    const listed = members.filter((member) => isSamePeer(member, peer));
    const told = this.#connected.get(id)?.members.filter((member) => member.id === id) ?? [];
    const isListedHere = [...listed, ...told].some((address) => address.url === url);
    return isListedHere || (peer === self && listed.length === 0) ? peer.storeId : undefined;
  }

  #redial(): void {
    // An event may come while the peers are given to the transport: the next tick is soon enough.
    this.#isRedialDue = this.#isDialing;
    if (!this.#isDialing) this.#dialAll();
  }

  /**
   * Keeps connections to those of the configurations in effect, the latest last, and to those who dialed us and are not in
   * them. A wrong address is no reason to lose a node, nor the others: whoever is there is left out.
   */
  dialMembers(configurations: readonly Configuration[]): void {
    this.#inEffect = configurations;
    this.#redial();
  }

  #dialAll(): void {
    this.#isDialing = true;
    const known = this.#known();
    const own = [...this.#invitedAddresses(), ...this.#memberAddresses(known)];
    const isMember = lists(known, this.#options.self);
    const introduced = this.#toldBeside(known, isMember);
    const isTold = this.#isAddressUntold && isMember;
    if (isTold) this.#isAddressUntold = false;
    if (!this.#tryToDial([...own, ...introduced], isTold) && introduced.length > 0)
      this.#tryToDial(own, isTold);
    this.#isDialing = false;
  }

  /** The members of the configurations in effect, those of the latest first. */
  #known(): readonly Member[] {
    const configuration = this.#configuration();
    const inEffect = this.#inEffect ?? (configuration === undefined ? [] : [configuration]);
    return inEffect.toReversed().flatMap(membersOf);
  }

  /** The store that is meant by a name. */
  #wantedStore(id: NodeId): string | undefined {
    if (this.#favored?.peer.id === id) return this.#favored.peer.storeId;
    return this.#known().find((member) => member.id === id)?.storeId;
  }

  /** Whether the store that answered is to be kept. One that is being replaced is, until that is committed: it may lead. */
  #isMeant(id: NodeId, known: readonly Member[]): boolean {
    const storeId = this.#answered.get(id);
    if (this.#favored?.peer.id === id) return this.#favored.peer.storeId === storeId;
    const members = known.filter((member) => member.id === id);
    return members.length === 0 || members.some((member) => member.storeId === storeId);
  }

  #invitedAddresses(): readonly MemberAddress[] {
    return [...this.#invited].map(({ address }) => address);
  }

  /**
   * Where members may be, the likeliest first: where they are listed, where they say that they are, where they were
   * listed before, and where the operator says that nodes of their names are. Before the founding, that is all.
   */
  #memberAddresses(known: readonly Member[]): readonly MemberAddress[] {
    const told = this.#introductions.own((peer) => lists(known, peer));
    const declared = this.#options.settings.members.filter(
      ({ id, url }) => url !== '' && (known.length === 0 || known.some((member) => member.id === id)),
    );
    return [...this.#favoredAddresses(), ...known, ...told, ...this.#earlierAddresses(known), ...declared];
  }

  #favoredAddresses(): readonly MemberAddress[] {
    if (this.#favored === null) return [];
    const { peer, untilMs } = this.#favored;
    if (untilMs <= this.#options.settings.clock()) {
      this.#favored = null;
      return [];
    }
    return this.#introductions.addressOf(peer);
  }

  /** The latest first. Who was moved by mistake is found where it is, also by a node that starts. */
  #earlierAddresses(known: readonly Member[]): readonly MemberAddress[] {
    const configurations = this.#options.state()?.configurations ?? [];
    const urls = new Map<NodeId, Set<string>>();
    const earlier: MemberAddress[] = [];
    for (const { configuration } of configurations.toReversed()) {
      for (const member of membersOf(configuration)) {
        const seen =
          urls.get(member.id) ?? new Set(known.flatMap(({ id, url }) => (id === member.id ? [url] : [])));
        urls.set(member.id, seen);
        const isFull = seen.size > earlierUrlsMax;
        if (seen.has(member.url) || isFull || !lists(known, member)) continue;
        seen.add(member.url);
        earlier.push({ id: member.id, url: member.url });
      }
    }
    return earlier;
  }

  /**
   * Leaves out the addresses of which the transport says that they can't be dialed. `false`, and the connections stay as
   * they are, if it does not say which.
   */
  #tryToDial(addresses: readonly MemberAddress[], isAnew: boolean): boolean {
    const bad = new Set<string>();
    for (;;) {
      const left = addresses.filter(({ url }) => !bad.has(url));
      const whereabouts = this.#whereabouts(left);
      const chosen = this.#search.choose(whereabouts);
      try {
        // Whoever does not list us yet could not answer: all are told anew, once, where we are.
        if (isAnew) this.dial([]);
        this.dial(chosen);
        this.#logUndialed(bad);
        this.#logElsewhere(whereabouts, chosen);
        return true;
      } catch (error) {
        const url = error instanceof TransportError ? error.url : undefined;
        if (url === undefined || !left.some((address) => address.url === url)) {
          const message = `the connections stay as they are: ${textOf(error)}`;
          this.#options.settings.logger.error({ error, addresses }, message);
          return false;
        }
        bad.add(url);
      }
    }
  }

  /** What is known of where each node is, of addresses in the order of their likelihood. */
  #whereabouts(addresses: readonly MemberAddress[]): readonly Whereabouts[] {
    const open = this.#openLinks();
    const urls = new Map<NodeId, string[]>();
    for (const { id, url } of addresses) {
      if (id === this.#options.self.id) continue;
      const its = urls.get(id) ?? [];
      if (!its.includes(url) && its.length < urlsMax) its.push(url);
      urls.set(id, its);
    }
    const invited = new Set(this.#invitedAddresses().map(({ id }) => id));
    const known = this.#known();
    return [...urls].map(([id, its]) => {
      const isAsked = invited.has(id);
      const isReached = open.has(id) && !isAsked && this.#isMeant(id, known);
      return { id, urls: its, isReached, isFirstBrief: isAsked };
    });
  }

  /** Whom this node can send to. */
  #openLinks(): ReadonlySet<NodeId> {
    return new Set(this.links.flatMap(({ id, isOutgoingOpen }) => (isOutgoingOpen ? [id] : [])));
  }

  /** Once for each address. */
  #logElsewhere(whereabouts: readonly Whereabouts[], chosen: readonly MemberAddress[]): void {
    const known = this.#known();
    for (const { id, isReached } of whereabouts) {
      const url = chosen.find((address) => address.id === id)?.url;
      const member = known.find((candidate) => candidate.id === id);
      const isListed = member?.storeId === this.#answered.get(id); // Not one that is being replaced, say.
      if (!isReached || url === undefined || member === undefined || !isListed) continue;
      const listed = member.url;
      const words = `${id} is reached at ${url}, and listed at ${listed}: this connection is kept as long as it is open; if ${id} stays at ${url}, move it there (a change of type move)`;
      if (url !== listed && this.#elsewhere.get(id) !== words)
        this.#options.settings.logger.info({ peer: id, url, listed }, words);
      if (url === listed) this.#elsewhere.delete(id);
      else this.#elsewhere.set(id, words);
    }
  }

  /** Once for each address, as long as it is listed. */
  #logUndialed(urls: ReadonlySet<string>): void {
    for (const url of urls) {
      if (this.#undialed.has(url)) continue;
      const message = `${JSON.stringify(url)} can't be dialed, and who is said to be there is not: move that member to another address, or remove it`;
      this.#options.settings.logger.error({ url }, message);
    }
    this.#undialed = urls;
  }

  /**
   * Where those are who are not among these members, by name and store: the namesake may be a store that we lost (rule 9). A
   * member answers those who are connected, and forgets who has gone. Who joins asks everybody that they told of.
   */
  #toldBeside(known: readonly Member[], isMember: boolean): readonly MemberAddress[] {
    const isBeside = (peer: Peer): boolean => !lists(known, peer);
    if (!isMember) return [...this.#introductions.own(isBeside), ...this.#introductions.all(isBeside)];
    this.#introductions.forgetGone();
    return this.#introductions.own(isBeside);
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
    const { voters = [], learners = [] } = this.#configuration() ?? {};
    return [...voters, ...learners].find((candidate) => candidate.id === id);
  }

  /** Sends to a member by its name. */
  sendTo(id: NodeId, frame: PeerFrame): boolean {
    const configuration = this.#configuration();
    const member = configuration && membersOf(configuration).find((candidate) => candidate.id === id);
    return member !== undefined && this.send(member, frame);
  }

  /** Closes the connections of a peer that broke the rules. */
  hangUp(id: NodeId, reason: string): void {
    this.#options.transport?.hangUp(id, reason);
  }
}

/** Whether this very store is among these members. */
function lists(members: readonly Member[], peer: Peer): boolean {
  return members.some((member) => isSamePeer(member, peer));
}

/** Whether this very store is a member, and neither listed at this address nor there by its own account. */
function isElsewhere(members: readonly Member[], hello: Hello, url: string): boolean {
  const listed = members.filter((member) => isSamePeer(member, hello));
  const told = hello.members.filter(({ id }) => id === hello.id);
  return listed.length > 0 && ![...listed, ...told].some((address) => address.url === url);
}
