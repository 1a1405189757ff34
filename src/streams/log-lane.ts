import {
  auditTime,
  filter,
  lastValueFrom,
  map,
  merge,
  type Observable,
  type SchedulerLike,
  Subject,
  type Subscription,
  takeUntil,
} from 'rxjs';
import {
  type EntryBatch,
  type Index,
  type Input,
  index0,
  type PersistReq,
  type ReadLogReq,
} from '../core/index.ts';
import type { Persisted, Storage } from '../storage/storage.ts';
import { LogCache } from './log-cache.ts';
import { type DiskWork, persistWith } from './persist-with.ts';

/** A machine's data are flushed this long after they changed, if no log transaction took them along. */
const machineFlushMs = 50;
const cacheBytesMax = 16 * 1024 * 1024;

/** The log lane (design §3): disk requests in order, and reads of the log that see all of them. */
export class LogLane {
  readonly #storage: Storage;
  readonly #input: (input: Input) => void;
  readonly #onError: (error: unknown) => void;
  readonly #cache = new LogCache(cacheBytesMax);
  readonly #request$ = new Subject<PersistReq>();
  readonly #machineChange$ = new Subject<void>();
  readonly #completing$ = new Subject<void>();
  readonly #persisted$ = new Subject<Persisted>();
  readonly #writing: Subscription;
  #truncations = 0;
  #durableIndex = index0;

  constructor(
    storage: Storage,
    options: {
      readonly timeScheduler: SchedulerLike;
      readonly input: (input: Input) => void;
      readonly onError: (error: unknown) => void;
    },
  ) {
    this.#storage = storage;
    this.#input = options.input;
    this.#onError = options.onError;
    const flushMachine$ = this.#machineChange$.pipe(
      auditTime(machineFlushMs, options.timeScheduler),
      filter(() => storage.machineStore.isDirty),
      map((): DiskWork => 'flushMachine'),
      takeUntil(this.#completing$),
    );
    this.#writing = merge(this.#request$, flushMachine$)
      .pipe(persistWith(storage))
      .subscribe(this.#persisted$);
  }

  /** Each finished transaction. Shared: there is one writer. Completes after `complete`, when all is durable. */
  get persisted$(): Observable<Persisted> {
    return this.#persisted$;
  }

  /** Everything through here is on this node's disk, what the core has asked for so far included. */
  get durableIndex(): Index {
    return this.#durableIndex;
  }

  /**
   * Follows what the core knows to be durable. Comes before the outputs of the step: one that truncates takes
   * back what was durable, and may commit the entries that come instead (rule 13).
   */
  follow(durableIndex: Index): void {
    this.#durableIndex = durableIndex;
  }

  /** Takes the next disk request: from now on it is what the log reads as. */
  persist(request: PersistReq): void {
    if (request.truncateFrom !== undefined) this.#truncations += 1;
    this.#cache.write(request);
    this.#request$.next(request);
  }

  /** The machine's data have changed: if nothing else is written soon, they are flushed by themselves. */
  noteMachineChange(): void {
    this.#machineChange$.next();
  }

  /** Answers a `readLogReq`, at once if the batches are in memory. */
  answer({ seq, from, maxBytes }: ReadLogReq): void {
    const cached = this.#cache.read({ from, maxBytes });
    if (cached !== undefined) return this.#input({ type: 'readLogRes', seq, batches: cached });
    this.read({ from, maxBytes }).then(
      (batches) => this.#input({ type: 'readLogRes', seq, batches }),
      this.#onError,
    );
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
      const stored = await this.#storage.readLog(range);
      if (stored === 'compacted') return stored;
      if (truncations === this.#truncations) return this.#cache.sift(stored);
    } // Truncated meanwhile: what was read may be gone.
  }

  /** Lets go of old batches that the disk holds. */
  evict(durableIndex: Index): void {
    this.#cache.evict(durableIndex);
  }

  /** No more requests come. Resolves when the last one is durable, or the disk has failed. */
  async complete(): Promise<void> {
    const done = lastValueFrom(this.#persisted$, { defaultValue: null }).catch(() => null);
    this.#completing$.next();
    this.#request$.complete();
    this.#machineChange$.complete();
    await done;
  }

  /** Begins no further transaction. What is not durable yet may never be, and nobody is told. */
  abandon(): void {
    this.#writing.unsubscribe();
  }
}
