import { after, lastOf, type Term, termAt } from '../core/index.ts';
import { compactThrough, resetTo } from '../core/log.ts';
import { StorageError } from './errors.ts';
import type { LogWrites, StoredLog } from './log-writes.ts';
import type { SnapshotSwitch } from './storage.ts';

/**
 * What becomes of the log when a snapshot is installed (rule 12): it begins after the snapshot, and what
 * follows it stays or goes. `undefined` if the log stays as it is.
 *
 * @throws StorageError `RAFT_STORE_FAILED`: the snapshot does not fit the log, which can't be.
 */
export function switchLog(stored: StoredLog, request: SnapshotSwitch): LogWrites | undefined {
  const { index } = request;
  const { log } = stored;
  if (index < log.startIndex) throw misfit(stored, request);
  if (request.log === null) {
    if (index > log.lastIndex) throw misfit(stored, request);
    return undefined;
  }
  const { term, configuration, keepsSuffix } = request.log;
  if (!stored.isFounded || configuration.index > index) throw misfit(stored, request);
  if (keepsSuffix && !isBatchEnd(stored, request, term)) throw misfit(stored, request);
  const start = { index, term, logTimeMs: request.logTimeMs };
  const later = keepsSuffix ? stored.configurations.filter((at) => at.index > index) : [];
  return {
    seq: 0,
    hardState: undefined,
    truncateFrom: !keepsSuffix && index < log.lastIndex ? after(index) : undefined,
    start,
    batches: [],
    log: keepsSuffix ? compactThrough(log, index) : resetTo(start),
    configurations: [configuration, ...later],
  };
}

/** Whether the log holds the snapshot's last entry, at the end of a batch. */
function isBatchEnd({ log, batchesFrom }: StoredLog, { index }: SnapshotSwitch, term: Term): boolean {
  if (termAt(log, index) !== term) return false;
  if (index === log.startIndex) return true;
  for (const batch of batchesFrom(index)) return lastOf(batch) === index;
  return false;
}

function misfit({ log, isFounded }: StoredLog, { transferId, index }: SnapshotSwitch): StorageError {
  return new StorageError(
    'RAFT_STORE_FAILED',
    `the snapshot of transfer ${transferId} reaches index ${index}, and does not fit the log from ` +
      `${log.startIndex} to ${log.lastIndex}${isFounded ? '' : ' of a store without a cluster'}. Nothing of it was put to use, and what was ` +
      'acknowledged is safe. This is a bug: please report it with this message, and restart the node.',
  );
}
