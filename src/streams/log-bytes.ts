import { encodedBytes, type Index, index, type LogIndex } from '../core/index.ts';
import type { Storage } from '../storage/storage.ts';

/** So many batches are looked at, however long the log is. */
const looksMax = 8;

/** What a log takes, in bytes, and what of it comes after the last snapshot. */
export interface LogSize {
  readonly bytes: number;
  readonly bytesSinceSnapshot: number;
}

/**
 * About how large a log is that was found when a node started: what an entry takes in batches from all over it, by
 * the number of entries. Reads a bounded number of batches, as a start must.
 */
export async function logSizeOf(
  storage: Pick<Storage, 'readLog'>,
  { startIndex, lastIndex }: LogIndex,
  snapshotIndex: Index,
): Promise<LogSize> {
  const entries = lastIndex - startIndex;
  const looks = Math.min(entries, looksMax);
  if (looks === 0) return { bytes: 0, bytesSinceSnapshot: 0 };
  let ofAnEntry = 0;
  for (let look = 0; look < looks; look++) {
    const from = index(startIndex + 1 + Math.floor((entries * look) / looks));
    const batches = await storage.readLog({ from, maxBytes: 1 });
    const batch = batches === 'compacted' ? undefined : batches[0];
    if (batch !== undefined) ofAnEntry += encodedBytes(batch) / batch.count / looks;
  }
  return { bytes: entries * ofAnEntry, bytesSinceSnapshot: (lastIndex - snapshotIndex) * ofAnEntry };
}
