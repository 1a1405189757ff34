import type { NodeId, Peer } from '../core/index.ts';

/** Stores under one name that are heard at once: the one that is listed, one that it replaced or that replaced it, one more. */
const storesMax = 3;

/** The connections that peers have dialed, one a peer, by name and store. */
export class Incoming<Connection> {
  readonly #byName = new Map<NodeId, readonly Held<Connection>[]>();

  /** The open connections of those with this name. */
  of(id: NodeId): readonly Connection[] {
    return (this.#byName.get(id) ?? []).map(({ connection }) => connection);
  }

  all(): readonly Connection[] {
    return [...this.#byName.keys()].flatMap((id) => this.of(id));
  }

  has({ id }: Peer, connection: Connection): boolean {
    return this.#byName.get(id)?.some((held) => held.connection === connection) === true;
  }

  /** A connection is admitted. Gives those whose place it takes: of the same store, and the oldest of too many stores. */
  add({ id, storeId }: Peer, connection: Connection): readonly Connection[] {
    const before = this.#byName.get(id) ?? [];
    const kept = before.filter((held) => held.storeId !== storeId).slice(1 - storesMax);
    this.#byName.set(id, [...kept, { storeId, connection }]);
    return before.filter((held) => !kept.includes(held)).map((held) => held.connection);
  }

  /**
   * A connection has closed. `undefined` if another one had its place already. If it was the latest under its name, `meant` is
   * the one that is left: its store is meant by the name from now on.
   */
  remove(peer: Peer, connection: Connection): { readonly meant: Connection | undefined } | undefined {
    if (!this.has(peer, connection)) return undefined;
    const before = this.of(peer.id);
    const left = (this.#byName.get(peer.id) ?? []).filter((held) => held.connection !== connection);
    if (left.length > 0) this.#byName.set(peer.id, left);
    else this.#byName.delete(peer.id);
    return { meant: before.at(-1) === connection ? left.at(-1)?.connection : undefined };
  }
}

interface Held<Connection> {
  readonly storeId: string;
  readonly connection: Connection;
}
