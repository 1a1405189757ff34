import type { GroupId, NodeId } from '../core/index.ts';
import { LmdbMedium } from './lmdb-medium.ts';
import type { Storage } from './storage.ts';
import { Store } from './store.ts';

/** Options of {@link lmdbStorage}. */
export interface LmdbStorageOptions {
  /** The folder that holds the store; made where there is none. It belongs to one node and one process. */
  readonly path: string;
  /** The node that the store belongs to; a store of another node is refused. Default: not checked. */
  readonly nodeId?: NodeId;
  /** Which Raft group this is. Default 0. */
  readonly group?: GroupId;
}

/**
 * A storage on LMDB. The folder holds `data.mdb` with everything of the node, so that one flush serves log and
 * state machine, and `owner.mdb`, which keeps a second process out. Both grow as needed and by themselves.
 *
 * Every write is asynchronous, one transaction, and resolves after LMDB has flushed the data and then the
 * page that points to them. LMDB prints a line of its own to stderr when the disk refuses a write. A disk with less
 * than 2 MiB of room counts as full.
 *
 * @example
 * const storage = lmdbStorage({ path: '/var/lib/rxraft/n1', nodeId: 'n1' });
 * const loaded = await storage.open();
 */
export function lmdbStorage({ path, nodeId, group = 0 }: LmdbStorageOptions): Storage {
  return new Store(new LmdbMedium({ path, nodeId: nodeId ?? null, group }));
}
