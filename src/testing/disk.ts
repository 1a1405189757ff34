import {
  append,
  type CompactLogReq,
  type ConfigurationAt,
  decodeConfiguration,
  type EntryBatch,
  emptyLog,
  encodedBytes,
  type HardState,
  type Index,
  type InstallSnapshotReq,
  index0,
  type LogIndex,
  lastOf,
  type PersistReq,
  type Term,
  term0,
} from '../core/index.ts';
import { expectThat } from './violation.ts';

/** What a node's disk holds, as a value. */
export interface Disk {
  readonly hardState: HardState;
  /** The log, in order. */
  readonly batches: readonly EntryBatch[];
  /** What the state machine starts from goes through here: what it flushed, or its last snapshot; 0 if neither. */
  readonly appliedIndex: Index;
  /** The commands through `appliedIndex`; without it, those of `batches`. */
  readonly applied?: readonly Applied[];
  /** Where a compacted log begins; without it, at index 0. */
  readonly start?: LogStart;
}

/** What a disk holds of the state machine: see {@link Disk}. */
export interface MachineData {
  readonly appliedIndex: Index;
  readonly applied: readonly Applied[] | undefined;
}

/** A command that a state machine has applied. */
export interface Applied {
  readonly index: Index;
  readonly command: string;
}

/** What is kept of a log's dropped prefix. */
export interface LogStart {
  readonly index: Index;
  readonly term: Term;
  readonly logTimeMs: number;
  /** In effect at `index`. */
  readonly configuration: ConfigurationAt;
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
  return last === undefined ? startOf(disk) : lastOf(last);
}

/** The last index that is not in the log any more. */
export function startOf(disk: Disk): Index {
  return disk.start?.index ?? index0;
}

/** The disk after one request. Throws if the log would have a gap, or a batch would be split (rule 14). */
export function persisted(disk: Disk, request: PersistReq): Disk {
  const { truncateFrom } = request;
  const kept =
    truncateFrom === undefined ? disk.batches : disk.batches.filter((batch) => batch.index < truncateFrom);
  const batches = request.batches.length === 0 ? kept : kept.concat(request.batches);
  for (let at = Math.max(kept.length - 1, 0); at < batches.length; at++) {
    const expected = at === 0 ? startOf(disk) + 1 : lastOf(batches[at - 1] as EntryBatch) + 1;
    const { index } = batches[at] as EntryBatch;
    expectThat(index === expected, () => `persistReq ${request.seq} writes ${index} after ${expected - 1}`);
  }
  const { appliedIndex, applied, start } = disk;
  return diskOf(request.hardState ?? disk.hardState, batches, { appliedIndex, applied }, start);
}

/** The disk with another state of the machine. */
export function withMachine(disk: Disk, machine: MachineData): Disk {
  return diskOf(disk.hardState, disk.batches, machine, disk.start);
}

/** Made with literals: there is one after each request, and a spread takes twenty times as long. */
function diskOf(
  hardState: HardState,
  batches: readonly EntryBatch[],
  { appliedIndex, applied }: MachineData,
  start: LogStart | undefined,
): Disk {
  if (applied === undefined)
    return start === undefined
      ? { hardState, batches, appliedIndex }
      : { hardState, batches, appliedIndex, start };
  return start === undefined
    ? { hardState, batches, appliedIndex, applied }
    : { hardState, batches, appliedIndex, applied, start };
}

/** The disk without the log through an index, which must be the end of a batch. What is gone already stays so. */
export function compacted(
  disk: Disk,
  { through, throughTerm: term }: CompactLogReq,
  founding: readonly ConfigurationAt[],
): Disk {
  if (through <= startOf(disk)) return disk;
  const last = disk.batches.find((batch) => lastOf(batch) === through);
  expectThat(last?.term === term, () => `the log is compacted through ${through}, where no batch ends`);
  const { logTimeMs } = last as EntryBatch;
  const configuration = [...founding, ...configurationsOf(disk)]
    .filter(({ index }) => index <= through)
    .at(-1) as ConfigurationAt;
  const batches = disk.batches.filter((batch) => batch.index > through);
  return { ...disk, batches, start: { index: through, term, logTimeMs, configuration } };
}

/** The disk after the switch to a snapshot: log start, configuration, data and applied index at once (rule 12). */
export function switched(
  disk: Disk,
  { snapshot, keepsSuffix }: InstallSnapshotReq,
  applied: readonly Applied[],
): Disk {
  const batches = keepsSuffix ? disk.batches.filter((batch) => batch.index > snapshot.index) : [];
  return { hardState: disk.hardState, batches, appliedIndex: snapshot.index, applied, start: snapshot };
}

/** Every configuration that the disk knows, ascending; without the founding one. */
export function configurationsOf({ start, batches }: Disk): readonly ConfigurationAt[] {
  const known: ConfigurationAt[] = start === undefined ? [] : [start.configuration];
  for (const batch of batches) {
    const configuration = batch.kind === 'configuration' ? decodeConfiguration(batch.payload) : undefined;
    if (configuration !== undefined) known.push({ index: batch.index, configuration });
  }
  return known;
}

/** What the core keeps of this log. */
export function logIndexOf({ batches, start }: Disk): LogIndex {
  if (start === undefined) return batches.reduce(append, emptyLog);
  const { index: startIndex, term: startTerm, logTimeMs: lastLogTimeMs } = start;
  return batches.reduce(append, { startIndex, startTerm, lastIndex: startIndex, terms: [], lastLogTimeMs });
}

/** The batch that holds an index. */
export function batchAt(disk: Disk, index: Index): EntryBatch | undefined {
  return disk.batches[placeOf(disk.batches, index)];
}

/** The last batch that ends at or before an index. */
export function lastBatchThrough(disk: Disk, index: Index): EntryBatch | undefined {
  const place = placeOf(disk.batches, index);
  const batch = disk.batches[place];
  return batch !== undefined && lastOf(batch) === index ? batch : disk.batches[place - 1];
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
