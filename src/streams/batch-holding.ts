import type { EntryBatch, Index } from '../core/index.ts';
import type { Storage } from '../storage/storage.ts';

/** The stored batch that holds an index; `undefined` if it is compacted, or beyond the end. */
export async function batchHolding(
  storage: Pick<Storage, 'readLog'>,
  from: Index,
): Promise<EntryBatch | undefined> {
  const batches = await storage.readLog({ from, maxBytes: 1 });
  return batches === 'compacted' ? undefined : batches[0];
}
