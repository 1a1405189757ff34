import { type Index, index, index0, lastOf, type ReadStateMachineReq, type Seq } from '../core/index.ts';
import { type Applied, batchesFrom, type Disk, lastBatchThrough, type MachineData, startOf } from './disk.ts';
import { commandsOf } from './entries.ts';
import { expectThat } from './violation.ts';

/** The state machine as it was at an index: the end of a batch. */
export interface View {
  readonly index: Index;
  readonly logTimeMs: number;
  readonly applied: readonly Applied[];
}

/** How far the machine came with an `applyReq`, and what was asked of the disk before that. */
interface Progress {
  readonly index: Index;
  readonly persistSeq: Seq;
}

/**
 * The state machine of a bare node, in the memory of one run. It holds the commands that it has applied, one after the
 * other, and a query is answered with how far it is.
 */
export class BareMachine {
  #applied: Applied[] = [];
  #appliedIndex = index0;
  /** Of what is not flushed: the disk requests that must not become durable later than it. */
  #unflushed: Progress[] = [];

  /** What it holds. Another array after each change that is not an addition. */
  get applied(): readonly Applied[] {
    return this.#applied;
  }

  /** How far it is. */
  get appliedIndex(): Index {
    return this.#appliedIndex;
  }

  /** Goes on from what a disk holds of it. */
  load(disk: Disk): void {
    if (disk.applied === undefined) return this.#applyThrough(disk.appliedIndex, disk);
    this.#applied = [...disk.applied];
    this.#appliedIndex = disk.appliedIndex;
  }

  /** Applies what the log holds through an index. `persistSeq` is the last disk request before the `applyReq`. */
  apply({ index: through, persistSeq }: Progress, log: Disk): void {
    this.#applyThrough(through, log);
    this.#unflushed.push({ index: through, persistSeq });
  }

  /** Answers a query. Throws if it comes before the machine has got as far as it was confirmed. */
  query({ id, index: readIndex }: ReadStateMachineReq): string {
    expectThat(
      this.#appliedIndex >= readIndex,
      () => `read ${id} of index ${readIndex} is asked when ${this.#appliedIndex} is applied`,
    );
    return String(this.#appliedIndex);
  }

  /** The machine at the end of the last batch that it applied whole. */
  view(log: Disk): View {
    const batch = lastBatchThrough(log, this.#appliedIndex);
    const at = batch === undefined ? startOf(log) : lastOf(batch);
    const logTimeMs = batch?.logTimeMs ?? log.start?.logTimeMs ?? 0;
    return { index: at, logTimeMs, applied: this.#appliedThrough(at) };
  }

  /** It holds what a snapshot holds. Throws if that is not the snapshot of `snapshotIndex`, or would take it back. */
  install(view: View, snapshotIndex: Index): void {
    expectThat(
      snapshotIndex === view.index && snapshotIndex > this.#appliedIndex,
      () => `the snapshot of ${snapshotIndex} is installed over ${this.#appliedIndex}, from ${view.index}`,
    );
    this.#applied = [...view.applied];
    this.#appliedIndex = view.index;
    this.#unflushed = [];
  }

  /**
   * What the machine adds to the transaction that flushes the log through a request: all that it applied with no later
   * request before its `applyReq`, to the end of a batch. `flushed` is the disk with that log; `undefined` if it holds no
   * less of the machine already.
   */
  flushWith(seq: Seq, flushed: Disk): MachineData | undefined {
    const isFlushed = ({ persistSeq }: Progress) => persistSeq <= seq;
    const last = this.#unflushed.filter(isFlushed).at(-1);
    if (last === undefined) return undefined;
    this.#unflushed = this.#unflushed.filter((progress) => !isFlushed(progress));
    const appliedIndex = batchEndAtOrBefore(flushed, last.index);
    if (appliedIndex <= flushed.appliedIndex) return undefined;
    return { appliedIndex, applied: this.#appliedThrough(appliedIndex) };
  }

  #applyThrough(through: Index, log: Disk): void {
    for (const batch of batchesFrom(log, { from: index(this.#appliedIndex + 1), maxBytes: 2 ** 52 })) {
      if (batch.index > through) break;
      commandsOf(batch).forEach((command, at) => {
        const place = index(batch.index + at);
        if (place > this.#appliedIndex && place <= through) this.#applied.push({ index: place, command });
      });
      this.#appliedIndex = index(Math.min(lastOf(batch), through));
    }
  }

  #appliedThrough(through: Index): readonly Applied[] {
    let count = this.#applied.length;
    while (count > 0 && (this.#applied[count - 1] as Applied).index > through) count -= 1;
    return this.#applied.slice(0, count);
  }
}

/** Durable applied indexes fall on batch ends (design §6). */
function batchEndAtOrBefore(disk: Disk, at: Index): Index {
  const batch = lastBatchThrough(disk, at);
  return batch === undefined ? startOf(disk) : lastOf(batch);
}
