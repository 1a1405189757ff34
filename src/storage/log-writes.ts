import {
  after,
  append,
  type EntryBatch,
  type HardState,
  type Index,
  type LogIndex,
  lastOf,
  lastTerm,
  type PersistReq,
  type Seq,
  truncateFrom as truncate,
} from '../core/index.ts';
import { StorageError } from './errors.ts';

/** What several `persistReq`s come to, for one transaction. */
export interface LogWrites {
  /** Of the last request; 0 if there are none. */
  readonly seq: Seq;
  readonly hardState: HardState | undefined;
  /** Where stored batches begin to go, before `batches` are added. */
  readonly truncateFrom: Index | undefined;
  readonly batches: readonly EntryBatch[];
  /** The log once all of it is carried out. */
  readonly log: LogIndex;
}

/**
 * Merges requests and checks that their batches follow each other and the log (rule 14).
 *
 * @param isBatchStart - whether a stored batch begins at an index; asked only where something is truncated.
 * @throws StorageError `RAFT_STORE_FAILED`: the requests contradict what is stored, which can't be.
 */
export function mergeRequests(
  requests: readonly PersistReq[],
  { log, isBatchStart }: { readonly log: LogIndex; readonly isBatchStart: (index: Index) => boolean },
): LogWrites {
  const start = log.startIndex;
  const batches: EntryBatch[] = [];
  let merged = log;
  let hardState: HardState | undefined;
  let truncateFrom: Index | undefined;
  let seq: Seq = 0;
  for (const request of requests) {
    const from = request.truncateFrom;
    if (from !== undefined) {
      if (from <= start || from > after(merged.lastIndex)) throw contradiction(request, from, merged);
      while (batches.length > 0 && (batches.at(-1) as EntryBatch).index >= from) batches.pop();
      const lastAdded = batches.at(-1);
      if (lastAdded !== undefined && lastOf(lastAdded) >= from) throw contradiction(request, from, merged);
      const isStored = from < (truncateFrom ?? after(log.lastIndex));
      if (isStored && !isBatchStart(from)) throw contradiction(request, from, merged);
      if (isStored) truncateFrom = from;
      merged = truncate(merged, from);
    }
    for (const batch of request.batches) {
      const follows = batch.index === after(merged.lastIndex) && batch.term >= lastTerm(merged);
      if (!follows) throw contradiction(request, batch.index, merged);
      merged = append(merged, batch);
      batches.push(batch);
    }
    if (request.hardState !== undefined) hardState = request.hardState;
    seq = request.seq;
  }
  return { seq, hardState, truncateFrom, batches, log: merged };
}

function contradiction(request: PersistReq, index: Index, log: LogIndex): StorageError {
  return new StorageError(
    'RAFT_STORE_FAILED',
    `disk request ${request.seq} writes at index ${index}, where the log ends with index ${log.lastIndex} ` +
      `of term ${lastTerm(log)} and batches are never split. Nothing of it was written, and what was ` +
      'acknowledged is safe. This is a bug: please report it with this message, and restart the node.',
  );
}
