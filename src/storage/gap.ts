import type { Index, LogIndex } from '../core/index.ts';
import { StorageError } from './errors.ts';

/** What to do about a store whose data can't be trusted. */
export const newStoreRemedy =
  'Nothing was changed. If the cluster has a majority without this node, move the folder away, remove the ' +
  'member, and let it join again with a new store; it receives all data from the others.';

/** The error for a machine that is ahead of the log it was fed from (rule 13); `undefined` if it is not. */
export function gapProblem(appliedIndex: Index, log: LogIndex): StorageError | undefined {
  if (appliedIndex <= log.lastIndex) return undefined;
  return new StorageError(
    'RAFT_STORE_DAMAGED',
    `gap: the state machine has applied index ${appliedIndex}, and the log ends with index ${log.lastIndex}. ` +
      `Entries that may have been acknowledged are missing. ${newStoreRemedy}`,
  );
}
