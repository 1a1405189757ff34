import type { NodeId, Peer } from '../core/index.ts';

/** A peer by name and store, as the key of a map. A name has no space in it. */
export function keyOf({ id, storeId }: Peer): string {
  return `${id} ${storeId}`;
}

/** Whether this is the key of a store with that name. */
export function isOf(key: string, id: NodeId): boolean {
  return key.startsWith(`${id} `);
}
