import type { NodeId, Peer } from '../core/index.ts';
import type { Hello, MemberAddress } from '../transport/transport.ts';
import { keyOf } from './peer-key.ts';

/** A peer with a connection, and the members as it told us: perhaps newer ones than our own configuration lists. */
interface Introduction {
  readonly peer: Peer;
  readonly members: readonly MemberAddress[];
  readonly isUp: boolean;
}

/** Peers that told of others: all members, of a change that is under way too, and all strangers. Who has gone makes room. */
const introducedMax = 200;
/** Stores that have told of themselves under one name: the listed one, that before it or after it, and one more. */
const namesakesMax = 3;

/** How peers of this cluster introduced themselves, by name and store, and where they say that they and others are. */
export class Introductions {
  /** The latest last. */
  readonly #byPeer = new Map<string, Introduction>();

  /** A peer is connected. Of others under its name, the store that is meant by it is kept longest. */
  add({ id, storeId, members }: Hello, wantedStore: string | undefined): void {
    const key = keyOf({ id, storeId });
    this.#byPeer.delete(key); // The latest counts where two tell different addresses.
    this.#byPeer.set(key, { peer: { id, storeId }, members, isUp: true });
    this.#forgetOldest(id, wantedStore);
  }

  #forgetOldest(id: NodeId, wantedStore: string | undefined): void {
    const namesakes = this.#called(id);
    const oldest = namesakes.find(([, { peer }]) => peer.storeId !== wantedStore);
    if (namesakes.length > namesakesMax && oldest !== undefined) this.#byPeer.delete(oldest[0]);
    for (const [key, { isUp }] of [...this.#byPeer]) {
      if (this.#byPeer.size <= introducedMax) return;
      if (!isUp) this.#byPeer.delete(key);
    }
  }

  #called(id: NodeId): readonly (readonly [key: string, Introduction])[] {
    return [...this.#byPeer].filter(([, { peer }]) => peer.id === id);
  }

  /** Nobody of this name is connected. Gives whether somebody was. */
  leave(id: NodeId): boolean {
    const gone = this.#called(id);
    for (const [key, introduction] of gone) this.#byPeer.set(key, { ...introduction, isUp: false });
    return gone.length > 0;
  }

  /** Those who are not connected any more. */
  forgetGone(): void {
    for (const [key, { isUp }] of [...this.#byPeer]) if (!isUp) this.#byPeer.delete(key);
  }

  /** Where that very store says that it is; none if it has not said. */
  addressOf(peer: Peer): readonly MemberAddress[] {
    const introduction = this.#byPeer.get(keyOf(peer));
    return introduction === undefined ? [] : ownAddress(introduction);
  }

  /** Where these say that they are themselves, the latest first. */
  own(isMeant: (peer: Peer) => boolean): readonly MemberAddress[] {
    return this.#by(isMeant).flatMap(ownAddress);
  }

  /** Where these say that they and others are, the latest first. */
  all(isMeant: (peer: Peer) => boolean): readonly MemberAddress[] {
    return this.#by(isMeant).flatMap(({ members }) => members);
  }

  #by(isMeant: (peer: Peer) => boolean): readonly Introduction[] {
    return [...this.#byPeer.values()].filter(({ peer }) => isMeant(peer)).reverse();
  }
}

function ownAddress({ peer, members }: Introduction): readonly MemberAddress[] {
  return members.filter(({ id }) => id === peer.id);
}
