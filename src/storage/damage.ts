import type { Index, LogIndex } from '../core/index.ts';
import { StorageError } from './errors.ts';

/** The error for a store whose data can't be trusted. `what` names the file or the key. */
export function damaged(what: string, cause?: unknown): StorageError {
  return new StorageError(
    'RAFT_STORE_DAMAGED',
    `${what}. Data that this node acknowledged may be lost, so it must not take part with this store. Nothing ` +
      'was changed. If the cluster has a majority without this node, move the folder away, remove the member, ' +
      'and let it join again with a new store: it receives all data from the others. A state machine that keeps its data ' +
      'elsewhere begins without them, too, or it is refused as being ahead of the log.',
    { cause },
  );
}

/** The error for a machine that is ahead of the log it was fed from (rule 13); `undefined` if it is not. */
export function gapProblem(appliedIndex: Index, log: LogIndex): StorageError | undefined {
  if (appliedIndex <= log.lastIndex) return undefined;
  return damaged(
    `gap: the state machine has applied index ${appliedIndex}, and the log ends with index ${log.lastIndex}`,
  );
}
