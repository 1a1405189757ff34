import type { NodeId, Peer } from '../core/index.ts';
import { TransportError } from '../transport/errors.ts';
import type { Hello, MemberAddress, Transport } from '../transport/transport.ts';
import { AddressSearch, type Whereabouts } from './address-search.ts';
import { textOf } from './errors.ts';
import type { Invitations } from './invitations.ts';
import type { Settings } from './options.ts';
import { lists, type PeerAddresses } from './peer-addresses.ts';

/** What a {@link Dialing} works with. */
export interface DialingOptions {
  /** None in a cluster of one. */
  readonly transport: Transport | undefined;
  readonly settings: Settings;
  readonly self: Peer;
  readonly addresses: PeerAddresses;
  readonly invitations: Invitations;
}

/** Addresses at which one node is looked for. */
const urlsMax = 6;

/** Keeps connections to members, to those who dial this node, and to those who are asked for their store, wherever they are. */
export class Dialing {
  readonly #options: DialingOptions;
  readonly #search: AddressSearch;
  /** Addresses that the transport could not dial last time. */
  #undialed: ReadonlySet<string> = new Set();
  /** Members that are reached elsewhere than the configuration says, as far as this has been logged. */
  readonly #elsewhere = new Map<NodeId, string>();
  /** Those who are dialed anew, once, though a connection with that name is open. */
  readonly #dialedAnew = new Set<NodeId>();
  /** It introduced itself without an address: it was not in its own configuration yet. */
  #isAddressUntold = false;
  #isDialing = false;
  /** Something happened while the peers were given to the transport. */
  #isRedialDue = false;

  constructor(options: DialingOptions) {
    this.#options = options;
    const { clock, config } = options.settings;
    this.#search = new AddressSearch({ clock, briefMs: config.electionTimeoutMsMin / 2 });
  }

  /** This node introduces itself. */
  onIntroduced({ id, members }: Hello): void {
    if (!members.some((member) => member.id === id)) this.#isAddressUntold = true;
  }

  /**
   * A connection is open. Who dials us says where it is; it may be looked for elsewhere, and is needed: who does not lead
   * by our own configuration may well lead by that of the others, and nothing reaches us unless it hears our answers.
   */
  onUp({ id, clusterId, members }: Hello, direction: 'outgoing' | 'incoming'): void {
    this.redial();
    const own = members.find((member) => member.id === id);
    const isNews = direction === 'incoming' && clusterId !== null && own !== undefined;
    if (isNews && this.#search.turnTo(own)) this.redial();
  }

  /** Dials elsewhere who has not answered for a while, or whose connection has closed. */
  onTick(): void {
    let open: ReadonlySet<NodeId> | undefined;
    const isOpen = (id: NodeId): boolean => {
      open ??= this.#openLinks();
      return open.has(id);
    };
    const hasWaned = this.#options.addresses.hasWaned();
    if (hasWaned || this.#isRedialDue || this.#search.isDue(isOpen)) this.redial();
  }

  /** With the next change of whom this node dials, gives the connection with this one up. */
  dialAnew(id: NodeId): void {
    this.#dialedAnew.add(id);
  }

  /** Keeps connections to these. Throws if one has an address that can't be dialed. */
  dial(members: readonly MemberAddress[]): void {
    const { transport, self } = this.#options;
    transport?.setPeers(members.filter((member) => member.id !== self.id));
  }

  /**
   * Keeps connections to all that are known by now. A wrong address is no reason to lose a node, nor the others: whoever is
   * there is left out.
   */
  redial(): void {
    // An event may come while the peers are given to the transport: the next tick is soon enough.
    this.#isRedialDue = this.#isDialing;
    if (!this.#isDialing) this.#dialAll();
  }

  #dialAll(): void {
    this.#isDialing = true;
    const { addresses, invitations, self } = this.#options;
    const own = [...invitations.addresses, ...addresses.ofMembers()];
    const others = addresses.ofOthers();
    const isTold = this.#isAddressUntold && lists(addresses.known, self);
    if (isTold) this.#isAddressUntold = false;
    if (!this.#tryToDial([...own, ...others], isTold) && others.length > 0) this.#tryToDial(own, isTold);
    this.#isDialing = false;
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
        else if (this.#dialedAnew.size > 0) this.dial(chosen.filter(({ id }) => !this.#dialedAnew.has(id)));
        this.#dialedAnew.clear();
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
    const { known } = this.#options.addresses; // Asked for once: it is put together anew each time.
    const invited = new Set(this.#options.invitations.addresses.map(({ id }) => id));
    return [...urls].map(([id, its]) => {
      const isAsked = invited.has(id);
      const isReached = open.has(id) && !isAsked && this.#options.addresses.isMeant(id, known);
      return { id, urls: its, isReached, isFirstBrief: isAsked };
    });
  }

  /** Whom this node can send to. */
  #openLinks(): ReadonlySet<NodeId> {
    const links = this.#options.transport?.links() ?? [];
    return new Set(links.flatMap(({ id, isOutgoingOpen }) => (isOutgoingOpen ? [id] : [])));
  }

  /** Once for each address. */
  #logElsewhere(whereabouts: readonly Whereabouts[], chosen: readonly MemberAddress[]): void {
    const { addresses, settings } = this.#options;
    const { known } = addresses;
    for (const { id, isReached } of whereabouts) {
      const url = chosen.find((address) => address.id === id)?.url;
      const member = known.find((candidate) => candidate.id === id);
      if (!isReached || url === undefined || member === undefined) continue;
      if (!addresses.hasAnswered(member)) continue; // One that is being replaced, say.
      const listed = member.url;
      const words = `${id} is reached at ${url}, and listed at ${listed}: this connection is kept as long as it is open; if ${id} stays at ${url}, move it there (a change of type move)`;
      if (url !== listed && this.#elsewhere.get(id) !== words)
        settings.logger.info({ peer: id, url, listed }, words);
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
}
