import {
  type ConfigurationAt,
  type EntryBatch,
  emptyLog,
  type Index,
  index0,
  type LogIndex,
} from '../core/index.ts';
import { ChunkedView } from './chunked-view.ts';
import { StorageError } from './errors.ts';
import { takeBatches } from './log-reads.ts';
import { switchLog } from './log-switch.ts';
import { type LogWrites, mergeWork, type StoredLog } from './log-writes.ts';
import { MachineOverlay } from './machine-overlay.ts';
import type { Medium, Opened, Transaction } from './medium.ts';
import { piecesOf } from './staged-value.ts';
import { Staging } from './staging.ts';
import type {
  Founding,
  IsEntry,
  Loaded,
  LogWork,
  MachineStore,
  Persisted,
  SnapshotStage,
  SnapshotSwitch,
  SnapshotView,
  Storage,
} from './storage.ts';
import { diskFailed, endingNow, foundedAlready, openAlready, stillClosing } from './store-errors.ts';
import { StoreStatus } from './store-status.ts';
import { Sweeper } from './sweeper.ts';

/**
 * A {@link Storage} on a medium. It keeps the rules: one write of the log at a time, batches that follow each
 * other (rule 14), and nothing after a write that failed. Chunks of a snapshot, and what is deleted in the
 * background, are written in between.
 */
export class Store implements Storage {
  readonly #medium: Medium;
  readonly #status = new StoreStatus();
  readonly #overlay: MachineOverlay;
  readonly #staging: Staging;
  readonly #sweeper: Sweeper;
  readonly #views = new Set<ChunkedView>();
  #log: LogIndex = emptyLog;
  #configurations: readonly ConfigurationAt[] = [];
  #founding: Founding | null = null;
  #lastGeneration = 0;
  #writing: Promise<void> | null = null;
  /** Where the log is being cut by a write that is under way: the medium may show that already. */
  #truncatingFrom: Index | undefined;
  /** While files are being let go. */
  #ending: Promise<void> | null = null;

  constructor(medium: Medium) {
    this.#medium = medium;
    this.#overlay = new MachineOverlay(medium.machineOf(0));
    this.#sweeper = new Sweeper(
      () => this.#sweep(),
      (error) => this.#status.fail(error),
    );
    this.#staging = new Staging({
      admit: () => this.#admit(),
      check: () => this.#status.check(),
      write: (transaction) => this.#commit(transaction),
      newGeneration: () => this.#newGeneration(),
      machineOf: (generation) => this.#medium.machineOf(generation),
      onDropped: () => this.#sweeper.wake(),
    });
  }

  get machineStore(): MachineStore {
    return this.#overlay;
  }

  async open(): Promise<Loaded> {
    if (this.#ending !== null) throw stillClosing();
    if (!this.#status.isClosed) throw openAlready();
    const { machine, stage, lastGeneration, ...loaded } = await this.#openMedium();
    this.#status.open();
    this.#log = loaded.log;
    this.#configurations = loaded.configurations;
    this.#founding = loaded.founding;
    this.#lastGeneration = lastGeneration;
    this.#overlay.restore(this.#medium.machineOf(machine.generation), machine);
    this.#staging.restore(stage);
    this.#sweeper.wake();
    return loaded;
  }

  /** Throws unless the store takes what is asked of it: while files are being let go, only what was asked for before goes on. */
  #admit(): void {
    this.#status.check();
    if (this.#ending !== null) throw endingNow();
  }

  async #openMedium(): Promise<Opened> {
    try {
      return await this.#medium.open();
    } catch (cause) {
      throw cause instanceof StorageError ? cause : diskFailed(cause);
    }
  }

  async found(founding: Founding): Promise<void> {
    this.#admit();
    if (this.#founding !== null) throw foundedAlready(this.#founding, founding);
    this.#founding = founding;
    const { configuration } = founding;
    this.#configurations = [{ index: index0, configuration }, ...this.#configurations];
    await this.#write({ founding });
  }

  async persist(
    work: readonly LogWork[],
    { withMachine }: { readonly withMachine: boolean } = { withMachine: true },
  ): Promise<Persisted> {
    this.#admit();
    return this.#persist(work, withMachine);
  }

  async #persist(work: readonly LogWork[], withMachine: boolean): Promise<Persisted> {
    const log = this.#status.checked(() => mergeWork(work, this.#stored));
    if (withMachine && this.#overlay.isDirty) {
      await this.#write({ log, machine: this.#overlay.beginFlush() });
      this.#overlay.endFlush();
      this.#adopt(log);
    } else if (work.length > 0) {
      await this.#write({ log });
      this.#adopt(log);
    }
    return { seq: log.seq, durableAppliedIndex: this.#overlay.durable.index };
  }

  get #stored(): StoredLog {
    return {
      isFounded: this.#founding !== null,
      log: this.#log,
      configurations: this.#configurations,
      isBatchStart: (index) => this.#medium.isBatchStart(index),
      batchesFrom: (index) => this.#medium.batchesFrom(index),
    };
  }

  /** The log is now as it was written. */
  #adopt({ log, configurations, start }: LogWrites): void {
    this.#log = log;
    this.#truncatingFrom = undefined;
    this.#configurations = configurations;
    if (start !== undefined) this.#sweeper.wake();
  }

  /** One at a time: what is written was checked against the log as it is. */
  async #write(transaction: Transaction): Promise<void> {
    if (this.#writing !== null)
      throw this.#status.fail(new Error('a write began while another was under way'));
    this.#truncatingFrom = transaction.log?.truncateFrom;
    this.#writing = this.#commit(transaction);
    try {
      await this.#writing;
    } finally {
      this.#writing = null;
    }
  }

  async #commit(transaction: Transaction): Promise<void> {
    try {
      await this.#medium.write(transaction);
    } catch (error) {
      throw this.#status.fail(error);
    }
  }

  viewMachine(): SnapshotView {
    this.#admit();
    const machine = this.#status.checked(() => this.#medium.freezeMachine());
    const view = new ChunkedView(machine, (closed) => this.#views.delete(closed));
    this.#views.add(view);
    return view;
  }

  async stage(transferId: string, isEntry?: IsEntry): Promise<SnapshotStage> {
    return this.#staging.begin(transferId, isEntry);
  }

  /** One of which there are no data, nor of the one after it. */
  #newGeneration(): number {
    this.#lastGeneration += 2;
    return this.#lastGeneration - 1;
  }

  async install(request: SnapshotSwitch): Promise<boolean> {
    return this.#staging.exclusively(async () => {
      const staged = this.#staging.state;
      if (staged?.transferId !== request.transferId || !staged.isComplete) return false;
      const log = this.#status.checked(() => switchLog(this.#stored, request));
      const { generation } = staged;
      const state = { generation, index: request.index, logTimeMs: request.logTimeMs };
      const machine = { generation, entries: [], bytes: 0, state };
      const stage = { state: null, entries: [] };
      await this.#write(log === undefined ? { machine, stage } : { log, machine, stage });
      this.#overlay.restore(this.#medium.machineOf(generation), state);
      this.#staging.restore(null);
      if (log !== undefined) this.#adopt(log);
      this.#sweeper.wake();
      return true;
    });
  }

  async #sweep(): Promise<boolean> {
    if (!this.#status.isOpen) return false;
    const staged = this.#staging.state;
    const used = this.#overlay.durable.generation;
    const generations = staged === null ? [used] : [used, staged.generation, piecesOf(staged)];
    return this.#medium.sweep({ startIndex: this.#log.startIndex, generations });
  }

  async readLog({
    from,
    maxBytes,
  }: {
    readonly from: Index;
    readonly maxBytes: number;
  }): Promise<readonly EntryBatch[] | 'compacted'> {
    this.#admit();
    if (from <= this.#log.startIndex) return 'compacted';
    if (from > this.#log.lastIndex || from >= (this.#truncatingFrom ?? Number.POSITIVE_INFINITY)) return [];
    return this.#status.checked(() => takeBatches(this.#medium.batchesFrom(from), maxBytes));
  }

  close(): Promise<void> {
    return this.#end({ flushes: true });
  }

  discard(): Promise<void> {
    return this.#end({ flushes: false });
  }

  /** Whoever asks again while it is under way waits for the same ending. */
  #end({ flushes }: { readonly flushes: boolean }): Promise<void> {
    if (this.#ending === null && this.#status.isClosed) return Promise.resolve();
    if (!flushes) this.#status.close(); // From here on nothing is flushed, nor by a close that waits for a write.
    this.#ending ??= this.#settleAndLetGo();
    return this.#ending;
  }

  async #settleAndLetGo(): Promise<void> {
    try {
      if (!this.#medium.isGone) await this.#settle();
    } finally {
      this.#status.close();
      await this.#letGo().finally(() => {
        this.#ending = null;
      });
    }
  }

  /** Waits for the writes that are under way, and flushes what the state machine has written since, unless it is discarded. */
  async #settle(): Promise<void> {
    await this.#writing?.catch(() => undefined); // Whoever began that write is told.
    await this.#staging.idle();
    if (this.#status.isOpen && this.#overlay.isDirty) await this.#persist([], true);
    await this.#sweeper.stop();
  }

  async #letGo(): Promise<void> {
    for (const view of [...this.#views]) view.close();
    await this.#medium.close();
  }
}
