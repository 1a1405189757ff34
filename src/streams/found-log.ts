import { encodedBytes, type Index, index, type LogIndex, lastOf, lower } from '../core/index.ts';
import type { Storage } from '../storage/storage.ts';
import { batchHolding } from './batch-holding.ts';

/** What a node that starts makes of the log that it finds. */
export interface FoundLog {
  /** Where the machine's last snapshot is taken to be: the log through there goes with the next one. */
  readonly snapshotIndex: Index;
  /** What comes after it, about. */
  readonly bytesSinceSnapshot: number;
}

/** How much log there is between two snapshots. */
interface Interval {
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
}

/** So many batches are looked at for what an entry takes, however long the log is. */
const looksMax = 8;

/**
 * Counting goes on where the run before ended, so that a log is compacted though no run writes much. Reads a bounded number
 * of batches, as a start must.
 */
export async function foundLogOf(
  storage: Pick<Storage, 'readLog' | 'machineStore'>,
  { log, appliedIndex, keeps }: { log: LogIndex; appliedIndex: Index; keeps: 'store' | 'memory' | 'own' },
  interval: Interval,
): Promise<FoundLog> {
  const entryBytes = await entryBytesOf(storage, log);
  const snapshotIndex =
    keeps === 'store'
      ? await endAnIntervalBefore(storage, { log, appliedIndex, entryBytes }, interval)
      : savedIndex(storage, { log, appliedIndex });
  return { snapshotIndex, bytesSinceSnapshot: (log.lastIndex - snapshotIndex) * entryBytes };
}

/** What an entry takes, about: the mean of what it takes in batches from all over the log. */
async function entryBytesOf(
  storage: Pick<Storage, 'readLog'>,
  { startIndex, lastIndex }: LogIndex,
): Promise<number> {
  const entries = lastIndex - startIndex;
  const looks = Math.min(entries, looksMax);
  let bytes = 0;
  for (let look = 0; look < looks; look++) {
    const from = index(startIndex + 1 + Math.floor((entries * look) / looks));
    const batch = await batchHolding(storage, from);
    if (batch !== undefined) bytes += encodedBytes(batch) / batch.count / looks;
  }
  return bytes;
}

/**
 * Of a machine in the store, whose durable data stand for all of the log that it has applied: the end of a batch that leaves
 * a follower as much log as two snapshots have between them.
 */
async function endAnIntervalBefore(
  storage: Pick<Storage, 'readLog'>,
  { log, appliedIndex, entryBytes }: { log: LogIndex; appliedIndex: Index; entryBytes: number },
  { snapshotEntries, snapshotBytes }: Interval,
): Promise<Index> {
  const entries = Math.min(snapshotEntries, Math.ceil(snapshotBytes / Math.max(1, entryBytes)));
  const from = appliedIndex - entries;
  if (from <= log.startIndex) return log.startIndex;
  const batch = await batchHolding(storage, index(from));
  return batch === undefined ? log.startIndex : lower(lastOf(batch), appliedIndex);
}

/** Of another machine: what `snapshot()` gave last, which is saved in the store, unless the machine is older than that. */
function savedIndex(
  { machineStore }: Pick<Storage, 'machineStore'>,
  { log, appliedIndex }: { log: LogIndex; appliedIndex: Index },
): Index {
  const saved = machineStore.appliedIndex;
  return saved >= log.startIndex && saved <= appliedIndex ? saved : log.startIndex;
}
