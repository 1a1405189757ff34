import {
  type Configuration,
  isSamePeer,
  type Member,
  membersOf,
  type NodeId,
  type Peer,
} from '../core/index.ts';
import type { Hello, MemberAddress } from '../transport/transport.ts';
import { Introductions } from './introductions.ts';
import type { Settings } from './options.ts';

/** What {@link PeerAddresses} work with. */
export interface PeerAddressesOptions {
  readonly settings: Pick<Settings, 'members' | 'clock'>;
  readonly self: Peer;
  /** Those in the log, the latest last. */
  readonly configurations: () => readonly Configuration[];
}

/** Addresses that a member had before the latest ones, as far as the configurations tell that this node still has. */
const earlierUrlsMax = 2;
/** Milliseconds for which a store is dialed that this node would follow, though the configuration lists another under its name. */
const favoredMs = 4_000;
/** Milliseconds for which a peer stays connected once it is no member any more: answers are on their way, that to its removal too. */
const farewellMs = 500;

/** Which stores are meant by the names of peers, and where each of them may be. */
export class PeerAddresses {
  readonly #options: PeerAddressesOptions;
  readonly #introductions = new Introductions();
  /** The store that answered last where a name was dialed. */
  readonly #answered = new Map<NodeId, string>();
  /** The configurations in effect, the latest last. */
  #inEffect: readonly Configuration[] | null = null;
  /** Others who were members until lately, and until when the connections stay. */
  #former: readonly { readonly member: Member; readonly untilMs: number }[] = [];
  /** A store that this node would follow, and until when it is dialed instead of the one that is listed under its name. */
  #favored: { readonly peer: Peer; readonly untilMs: number } | null = null;

  constructor(options: PeerAddressesOptions) {
    this.#options = options;
  }

  /** The members of the configurations in effect, those of the latest first, then who was one until lately. */
  get known(): readonly Member[] {
    if (this.#former.length === 0) return this.#members;
    const now = this.#options.settings.clock();
    const former = this.#former.filter(({ untilMs }) => untilMs > now);
    return [...this.#members, ...former.map(({ member }) => member)];
  }

  get #members(): readonly Member[] {
    const inEffect = this.#inEffect ?? this.#options.configurations().slice(-1);
    return inEffect.toReversed().flatMap(membersOf);
  }

  /** Other configurations are in effect, the latest last. */
  goBy(configurations: readonly Configuration[]): void {
    const before = this.#members;
    this.#inEffect = configurations;
    const now = this.#members;
    const { self, settings } = this.#options;
    const untilMs = settings.clock() + farewellMs;
    const left = before.filter((member) => member.id !== self.id && !lists(now, member));
    this.#former = [...this.#former, ...left.map((member) => ({ member, untilMs }))];
  }

  /** A connection is open. */
  onUp(hello: Hello, direction: 'outgoing' | 'incoming'): void {
    const { id, storeId, clusterId } = hello;
    if (direction === 'outgoing') this.#answered.set(id, storeId);
    if (clusterId !== null) this.#introductions.add(hello, this.#wantedStore(id));
  }

  /** No connection is open with this peer. Gives whether it had said where it is. */
  onDown(id: NodeId): boolean {
    this.#answered.delete(id);
    return this.#introductions.leave(id);
  }

  /**
   * This node would follow that very store, and could not tell it: perhaps its configuration lists another store under that
   * name since it has missed a change. For a while, the name is meant for that store. Gives whether it is now.
   */
  favor(peer: Peer): boolean {
    const wanted = this.#wantedStore(peer.id);
    if (wanted === undefined || wanted === peer.storeId) return false;
    if (this.#introductions.addressOf(peer).length === 0) return false;
    this.#favored = { peer, untilMs: this.#options.settings.clock() + favoredMs };
    return true;
  }

  /** Whether somebody was known until now, and is not any more. Asked once of each. */
  hasWaned(): boolean {
    const now = this.#options.settings.clock();
    const isFavorOver = this.#favored !== null && this.#favored.untilMs <= now;
    const isFarewellOver = this.#former.some(({ untilMs }) => untilMs <= now);
    if (isFavorOver) this.#favored = null;
    if (isFarewellOver) this.#former = this.#former.filter(({ untilMs }) => untilMs > now);
    return isFavorOver || isFarewellOver;
  }

  /** Whether a store of this name was a member until lately. */
  isFormer(id: NodeId): boolean {
    return this.#former.some(({ member }) => member.id === id);
  }

  /** The store that is meant by a name. */
  #wantedStore(id: NodeId): string | undefined {
    if (this.#favored?.peer.id === id) return this.#favored.peer.storeId;
    return this.known.find((member) => member.id === id)?.storeId;
  }

  /** Whether the store that answered is to be kept. One that is being replaced is, until that is committed: it may lead. */
  isMeant(id: NodeId, known: readonly Member[]): boolean {
    const storeId = this.#answered.get(id);
    if (this.#favored?.peer.id === id) return this.#favored.peer.storeId === storeId;
    const members = known.filter((member) => member.id === id);
    return members.length === 0 || members.some((member) => member.storeId === storeId);
  }

  /** Whether this member's store answered last where its name was dialed. */
  hasAnswered({ id, storeId }: Peer): boolean {
    return this.#answered.get(id) === storeId;
  }

  /**
   * Where members may be, the likeliest first: where they are listed, where they say that they are, where they were
   * listed before, and where the operator says that nodes of their names are. Before the founding, that is all.
   */
  ofMembers(): readonly MemberAddress[] {
    const { known } = this;
    const told = this.#introductions.own((peer) => lists(known, peer));
    const declared = this.#options.settings.members.filter(
      ({ id, url }) => url !== '' && (known.length === 0 || known.some((member) => member.id === id)),
    );
    return [...this.#ofFavored(), ...known, ...told, ...this.#earlier(known), ...declared];
  }

  /**
   * Where those are who are not among the members, by name and store: the namesake may be a store that we lost (rule 9). A
   * member answers those who are connected, and forgets who has gone. Who joins asks everybody that they told of.
   */
  ofOthers(): readonly MemberAddress[] {
    const { known } = this;
    const isBeside = (peer: Peer): boolean => !lists(known, peer);
    const isMember = lists(known, this.#options.self);
    if (!isMember) return [...this.#introductions.own(isBeside), ...this.#introductions.all(isBeside)];
    this.#introductions.forgetGone();
    return this.#introductions.own(isBeside);
  }

  #ofFavored(): readonly MemberAddress[] {
    return this.#favored === null ? [] : this.#introductions.addressOf(this.#favored.peer);
  }

  /** The latest first. Who was moved by mistake is found where it is, also by a node that starts. */
  #earlier(known: readonly Member[]): readonly MemberAddress[] {
    const urls = new Map<NodeId, Set<string>>();
    const earlier: MemberAddress[] = [];
    for (const configuration of this.#options.configurations().toReversed()) {
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
}

/** Whether this very store is among these members. */
export function lists(members: readonly Member[], peer: Peer): boolean {
  return members.some((member) => isSamePeer(member, peer));
}
