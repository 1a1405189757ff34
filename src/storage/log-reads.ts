import type { EntryBatch } from '../core/index.ts';

/** Whole batches, at least one, and more while their payloads stay within `maxBytes`. */
export function takeBatches(batches: Iterable<EntryBatch>, maxBytes: number): readonly EntryBatch[] {
  const taken: EntryBatch[] = [];
  let bytes = 0;
  for (const batch of batches) {
    bytes += batch.payload.byteLength;
    if (taken.length > 0 && bytes > maxBytes) break;
    taken.push(batch);
  }
  return taken;
}
