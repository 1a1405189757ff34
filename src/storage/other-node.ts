import type { NodeId } from '../core/index.ts';
import { StorageError } from './errors.ts';

/** The error for a store that belongs to another node; `undefined` if it is ours, or nobody's yet. */
export function otherNode(stored: NodeId | null, own: NodeId | null): StorageError | undefined {
  if (stored === null || own === null || stored === own) return undefined;
  return new StorageError(
    'RAFT_STORE_OTHER_NODE',
    `this store belongs to node ${stored}, and was opened as ${own}. Nothing was changed. Start ${own} with ` +
      `the path of its own store, or start this one as ${stored}; never copy a store to make another node.`,
  );
}
