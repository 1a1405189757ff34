import { lastValueFrom, type Observable, type SchedulerLike, Subject, type Subscription, timer } from 'rxjs';
import {
  type CompactLogReq,
  type EntryBatch,
  encodedBytesOf,
  type Index,
  type Input,
  index0,
  lastOf,
  type PersistReq,
  type ReadLogReq,
} from '../core/index.ts';
import type { SnapshotSwitch, Storage } from '../storage/storage.ts';
import { CatchUpPace } from './catch-up-pace.ts';
import { LogCache } from './log-cache.ts';
import { type DiskWork, type Flushed, persistWith } from './persist-with.ts';

/**
 * A machine's data are flushed so long after they changed, if no log transaction took them along: what a key was in
 * between is never written. Sooner where many keys wait, since handing them over holds up the event loop.
 */
const machineFlushMs = { many: 100, few: 250 };
const manyKeys = 1024;
const cacheLimits = { bytesMax: 256 * 1024, unappliedBytesMax: 16 * 1024 * 1024 };

/** How far the core is. */
export interface CoreProgress {
  readonly durableIndex: Index;
  readonly commitIndex: Index;
  readonly lastApplied: Index;
}

/** The log lane (design §3): disk requests in order, and reads of the log that see all of them. */
export class LogLane {
  readonly #storage: Storage;
  readonly #timeScheduler: SchedulerLike;
  readonly #clock: () => number;
  readonly #pace: CatchUpPace;
  readonly #input: (input: Input) => void;
  readonly #onError: (error: unknown) => void;
  readonly #cache = new LogCache(cacheLimits);
  readonly #request$ = new Subject<DiskWork>();
  readonly #persisted$ = new Subject<Flushed>();
  readonly #writing: Subscription;
  /** When the machine's data are to be looked at. */
  #machineFlush: Subscription | null = null;
  #truncations = 0;
  #bytesSinceSnapshot: number;
  #core: CoreProgress = { durableIndex: index0, commitIndex: index0, lastApplied: index0 };

  constructor(
    storage: Storage,
    options: {
      readonly timeScheduler: SchedulerLike;
      /** Milliseconds, monotonic. */
      readonly clock: () => number;
      /** What of the log comes after the last snapshot when the node starts, about. */
      readonly bytesSinceSnapshot: number;
      readonly input: (input: Input) => void;
      readonly onError: (error: unknown) => void;
    },
  ) {
    this.#storage = storage;
    this.#timeScheduler = options.timeScheduler;
    this.#clock = options.clock;
    this.#pace = new CatchUpPace(options.clock);
    this.#bytesSinceSnapshot = options.bytesSinceSnapshot;
    this.#input = options.input;
    this.#onError = options.onError;
    this.#writing = this.#request$
      .pipe(persistWith(storage, options.timeScheduler))
      .subscribe(this.#persisted$);
  }

  /** Each finished transaction. Shared: there is one writer. Completes after `complete`, when all is durable. */
  get persisted$(): Observable<Flushed> {
    return this.#persisted$;
  }

  /** Everything through here is on this node's disk, what the core has asked for so far included. */
  get durableIndex(): Index {
    return this.#core.durableIndex;
  }

  /**
   * Follows what the core knows to be durable here, committed and applied. Comes before the outputs of the step: one that
   * truncates takes back what was durable, and may commit the entries that come instead (rule 13).
   */
  follow(core: CoreProgress): void {
    this.#core = core;
  }

  /** Takes the next disk request: from now on it is what the log reads as. */
  persist(request: PersistReq): void {
    if (request.truncateFrom !== undefined) this.#truncations += 1;
    this.#cache.write(request);
    const bytes = encodedBytesOf(request.batches);
    this.#bytesSinceSnapshot += bytes;
    this.#pace.onWritten(bytes);
    this.#request$.next(this.#isCommitted(request) ? { type: 'committed', request } : request);
  }

  /** Whether a majority holds all of it already. */
  #isCommitted({ hardState, truncateFrom, batches }: PersistReq): boolean {
    const last = batches.at(-1);
    const isOnlyBatches = hardState === undefined && truncateFrom === undefined;
    return isOnlyBatches && last !== undefined && lastOf(last) <= this.#core.commitIndex;
  }

  /** Bytes of log since the last snapshot, about. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot;
  }

  /** A snapshot is taken: what is written from now on counts towards the next one. */
  noteSnapshot(): void {
    this.#bytesSinceSnapshot = 0;
  }

  /** Drops the prefix of the log, in its turn. */
  compact(request: CompactLogReq): void {
    this.#cache.drop(request.through, false);
    this.#request$.next(request);
  }

  /** Flushes what the machine has written, even if the log has nothing to write. */
  flushMachine(): void {
    this.#request$.next({ type: 'flushMachine' });
  }

  /** Switches to a staged snapshot, in its turn (the barrier of design §3). Resolves with whether it was there. */
  async install(request: SnapshotSwitch): Promise<boolean> {
    const isInstalled = await new Promise<boolean>((done) =>
      this.#request$.next({ type: 'install', request, done }),
    );
    if (isInstalled && request.log !== null) this.#cache.drop(request.index, !request.log.keepsSuffix);
    this.#truncations += 1; // What is being read from the disk may be gone.
    return isInstalled;
  }

  /** The machine's data have changed: if nothing else is written soon, they are flushed by themselves. */
  noteMachineChange(): void {
    this.#machineFlush ??= this.#timeScheduler.schedule(() => this.#onMachineChanged(), machineFlushMs.many);
  }

  #onMachineChanged(): void {
    if (this.#storage.machineStore.unflushedKeys >= manyKeys) return this.#flushMachineIfDirty();
    const waitMs = machineFlushMs.few - machineFlushMs.many;
    this.#machineFlush = this.#timeScheduler.schedule(() => this.#flushMachineIfDirty(), waitMs);
  }

  #flushMachineIfDirty(): void {
    this.#machineFlush = null;
    if (this.#storage.machineStore.isDirty) this.flushMachine();
  }

  /** Answers a `readLogReq`: at once if the batches are in memory, else in its time ({@link CatchUpPace}). */
  answer({ seq, from, maxBytes }: ReadLogReq): void {
    const cached = this.#cache.read({ from, maxBytes });
    if (cached !== undefined) return this.#input({ type: 'readLogRes', seq, batches: cached });
    const startedAtMs = this.#clock();
    this.read({ from, maxBytes }).then((batches) => {
      const bytes = batches === 'compacted' ? 0 : encodedBytesOf(batches);
      const dueAtMs = this.#pace.dueAtMs(bytes, startedAtMs);
      const answer = () => {
        this.#pace.onAnswered(dueAtMs);
        this.#input({ type: 'readLogRes', seq, batches });
      };
      const waitMs = Math.round(dueAtMs - this.#clock());
      if (waitMs <= 0) answer();
      else this.#writing.add(timer(waitMs, this.#timeScheduler).subscribe(answer)); // Leaves once it has fired.
    }, this.#onError);
  }

  /** A batch that is in memory. */
  batchAt(index: Index): EntryBatch | undefined {
    return this.#cache.batchAt(index);
  }

  /** Batches from the one that holds `from`, from memory or disk. It sees every request, flushed or not. */
  async read(range: {
    readonly from: Index;
    readonly maxBytes: number;
  }): Promise<readonly EntryBatch[] | 'compacted'> {
    for (;;) {
      const cached = this.#cache.read(range);
      if (cached !== undefined) return cached;
      const truncations = this.#truncations;
      const end = this.#cache.firstIndex; // As it is now: the cache may let go of what the disk does not show yet.
      const stored = await this.#storage.readLog(range);
      if (stored === 'compacted') return stored;
      if (truncations === this.#truncations) return end === undefined ? stored : before(stored, end);
    } // Truncated meanwhile: what was read may be gone.
  }

  /** Lets go of old batches that the disk holds. */
  evict(): void {
    this.#cache.evict(this.#core);
  }

  /** No more requests come. Resolves when the last one is durable, or the disk has failed. */
  async complete(): Promise<void> {
    const done = lastValueFrom(this.#persisted$, { defaultValue: null }).catch(() => null);
    this.#machineFlush?.unsubscribe();
    this.#request$.complete();
    await done;
  }

  /** Begins no further transaction. What is not durable yet may never be, and nobody is told. */
  abandon(): void {
    this.#machineFlush?.unsubscribe();
    this.#writing.unsubscribe();
  }
}

/**
 * What of a reading of the disk is the log for sure: all before the cache began. From there on the cache alone knew; the disk may
 * have held what was truncated and had not been flushed.
 */
function before(stored: readonly EntryBatch[], end: Index): readonly EntryBatch[] {
  return stored.filter((batch) => batch.index < end);
}
