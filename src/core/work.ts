import type { EntryBatch } from './batch.ts';
import type { Draft } from './draft.ts';
import type { Output } from './output.ts';
import type { Index } from './types.ts';

/** One step under way: the state that it makes, and what it asks of the world. */
export interface Work {
  readonly draft: Draft;
  /** In the order in which they are to be carried out. */
  readonly outputs: Output[];
  /** What this step's `persistReq` truncates and adds. */
  truncateFrom: Index | undefined;
  batches: readonly EntryBatch[] | undefined;
}
