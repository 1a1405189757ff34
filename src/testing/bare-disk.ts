import {
  type CompactLogReq,
  type ConfigurationAt,
  type EntryBatch,
  type Input,
  type InstallSnapshotReq,
  lastOf,
  type PersistReq,
  type ReadLogReq,
  type Seq,
} from '../core/index.ts';
import {
  type Applied,
  batchesFrom,
  compacted,
  type Disk,
  type MachineData,
  persisted,
  startOf,
  switched,
  withMachine,
} from './disk.ts';
import { expectThat } from './violation.ts';

/** A change of the log or of the hard state: written first, and flushed later. */
export type LogChange = PersistReq | CompactLogReq;

interface LogRead {
  readonly seq: Seq;
  readonly batches: readonly EntryBatch[] | 'compacted';
}

/**
 * The disk of a bare node, and its cache: what is written is read at once, what is flushed survives a power cut.
 * Which requests wait for their flush, and when it comes, is up to whoever has the disk.
 */
export class BareDisk {
  /** In effect before the log's first entry. A compaction may have to keep them. */
  readonly #founding: readonly ConfigurationAt[];
  #durable: Disk;
  #written: Disk;
  #reads: LogRead[] = [];

  constructor(disk: Disk, founding: readonly ConfigurationAt[]) {
    this.#durable = disk;
    this.#written = disk;
    this.#founding = founding;
  }

  /** What a power cut leaves. */
  get durable(): Disk {
    return this.#durable;
  }

  /** What the process has written, flushed or not. */
  get written(): Disk {
    return this.#written;
  }

  /** How many reads wait to be answered. */
  get reads(): number {
    return this.#reads.length;
  }

  /** The process sees the change from now on; a power cut undoes it. */
  write(change: LogChange): void {
    this.#written =
      change.type === 'persistReq'
        ? persisted(this.#written, change)
        : compacted(this.#written, change, this.#founding);
  }

  /**
   * The oldest change that is written and not flushed becomes durable. Throws if a compaction would drop entries that
   * the machine has not got on disk.
   */
  flush(change: LogChange): void {
    if (change.type === 'persistReq') {
      this.#durable = persisted(this.#durable, change);
      return;
    }
    expectThat(
      change.through <= this.#durable.appliedIndex,
      () => `the log is compacted through ${change.through}, the machine’s disk holds less`,
    );
    this.#durable = compacted(this.#durable, change, this.#founding);
  }

  /** Written and flushed at once: what the machine is to start from. */
  keep(machine: MachineData): void {
    this.#durable = withMachine(this.#durable, machine);
    this.#written = withMachine(this.#written, machine);
  }

  /**
   * Written and flushed at once: the log begins with a snapshot. Throws if the log after it is dropped though it goes
   * on from the snapshot, or kept though it does not.
   */
  switchTo(request: InstallSnapshotReq, applied: readonly Applied[]): void {
    const { snapshot, keepsSuffix } = request;
    const held = this.#written.batches.find((batch) => lastOf(batch) === snapshot.index);
    expectThat(
      keepsSuffix === (held?.term === snapshot.term),
      () => `the log after the snapshot of ${snapshot.index} is treated wrongly`,
    );
    this.#durable = switched(this.#durable, request, applied);
    this.#written = switched(this.#written, request, applied);
  }

  /** Reads the log as it is written now. The answer comes later, from {@link BareDisk.answerRead}, whatever changes. */
  read(request: ReadLogReq): void {
    const isGone = request.from <= startOf(this.#written);
    this.#reads.push({
      seq: request.seq,
      batches: isGone ? 'compacted' : batchesFrom(this.#written, request),
    });
  }

  /** The answer to the oldest read. */
  answerRead(): Input | undefined {
    const read = this.#reads.shift();
    return read && { type: 'readLogRes', seq: read.seq, batches: read.batches };
  }

  /** A power cut: what was not flushed is gone, and nobody waits for an answer any more. */
  losePower(): void {
    this.#written = this.#durable;
    this.#reads = [];
  }
}
