import type { EntryBatch } from '../core/index.ts';

/**
 * Whole batches, at least one, and more while their payloads stay within `maxBytes`. It stops where one more like the last
 * would not fit: to read a batch from the disk and check it, only to leave it, costs as much as one that is taken.
 */
export function takeBatches(batches: Iterable<EntryBatch>, maxBytes: number): readonly EntryBatch[] {
  const taken: EntryBatch[] = [];
  let bytes = 0;
  for (const batch of batches) {
    const { length } = batch.payload;
    bytes += length;
    if (taken.length > 0 && bytes > maxBytes) break;
    taken.push(batch);
    if (bytes + length > maxBytes) break;
  }
  return taken;
}
