import {
  append,
  type EntryBatch,
  emptyLog,
  encodedBytes,
  type HardState,
  type Index,
  index0,
  type LogIndex,
  lastOf,
  type PersistReq,
  term0,
} from '../core/index.ts';
import { expectThat } from './violation.ts';

/** What a node's disk holds, as a value. */
export interface Disk {
  readonly hardState: HardState;
  /** The log, in order. */
  readonly batches: readonly EntryBatch[];
  /** How far a durable state machine is; 0 for one in memory. */
  readonly appliedIndex: Index;
}

/** The disk of a node that never ran. */
export const emptyDisk: Disk = {
  hardState: { currentTerm: term0, votedFor: null },
  batches: [],
  appliedIndex: index0,
};

/** The index of the last entry on it. */
export function lastIndexOf(disk: Disk): Index {
  const last = disk.batches.at(-1);
  return last === undefined ? index0 : lastOf(last);
}

/** The disk after one request. Throws if the log would have a gap, or a batch would be split (rule 14). */
export function persisted(disk: Disk, request: PersistReq): Disk {
  const { truncateFrom } = request;
  const kept =
    truncateFrom === undefined ? disk.batches : disk.batches.filter((batch) => batch.index < truncateFrom);
  const batches = request.batches.length === 0 ? kept : [...kept, ...request.batches];
  for (let at = Math.max(kept.length - 1, 0); at < batches.length; at++) {
    const expected = at === 0 ? 1 : lastOf(batches[at - 1] as EntryBatch) + 1;
    const { index } = batches[at] as EntryBatch;
    expectThat(index === expected, () => `persistReq ${request.seq} writes ${index} after ${expected - 1}`);
  }
  return { hardState: request.hardState ?? disk.hardState, batches, appliedIndex: disk.appliedIndex };
}

/** What the core keeps of this log. */
export function logIndexOf(batches: readonly EntryBatch[]): LogIndex {
  return batches.reduce(append, emptyLog);
}

/** The batch that holds an index. */
export function batchAt(disk: Disk, index: Index): EntryBatch | undefined {
  return disk.batches[placeOf(disk.batches, index)];
}

/** What a `readLogReq` asks for: from the start of the batch that holds `from`, about `maxBytes`. */
export function batchesFrom(disk: Disk, { from, maxBytes }: { from: Index; maxBytes: number }): EntryBatch[] {
  const found: EntryBatch[] = [];
  let bytes = 0;
  for (let at = placeOf(disk.batches, from); at < disk.batches.length; at++) {
    const batch = disk.batches[at] as EntryBatch;
    bytes += encodedBytes(batch);
    if (found.length > 0 && bytes > maxBytes) break;
    found.push(batch);
  }
  return found;
}

/** Where the batch stands that holds `index`; beyond the end if none does. */
function placeOf(batches: readonly EntryBatch[], index: Index): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lastOf(batches[middle] as EntryBatch) < index) low = middle + 1;
    else high = middle;
  }
  return low;
}
