import type { SchedulerLike, Subscription } from 'rxjs';
import type { Routes } from './routes.ts';
import type { WriteQueue } from './write-queue.ts';

/** Writes wait for a transaction that is under way at most so long; for others, as long as the queue's patience. */
const diskMsMax = 2;
/** After that, it is asked again each so many milliseconds whether others are still to come. */
const lookMs = 1;

/** What a {@link WriteHold} works with. */
export interface WriteHoldOptions {
  readonly routes: Pick<Routes, 'target' | 'isDiskBusy' | 'now'>;
  readonly writes: Pick<WriteQueue<unknown>, 'hasWaiting' | 'isGathering' | 'patienceMs'>;
  readonly timeScheduler: SchedulerLike;
  /** Writes have waited for long enough: whoever sends them ends the hold. */
  readonly onOver: () => void;
}

/**
 * Holds a leader's writes back. While its own disk is at work, what comes gathers for its next transaction: one batch
 * instead of one for each turn, which costs every node less; and a little longer, if more is about to come. Not for long,
 * since others may be quicker than our disk.
 */
export class WriteHold {
  readonly #options: WriteHoldOptions;
  /** The next look at the writes that wait. */
  #next: Subscription | null = null;
  #sinceMs = 0;
  /** Looks at writes that have waited: a disk that hangs holds them no longer, others who are to come do. */
  readonly #look = (): void => {
    const { routes, writes, timeScheduler, onOver } = this.#options;
    const heldMs = routes.now() - this.#sinceMs;
    if (heldMs >= writes.patienceMs || !writes.isGathering) return onOver();
    this.#next = timeScheduler.schedule(this.#look, lookMs);
  };

  constructor(options: WriteHoldOptions) {
    this.#options = options;
  }

  /** Whether writes are held. */
  get isOn(): boolean {
    return this.#next !== null;
  }

  /** A turn is over: holds what waits, if it is to wait for more; `false` if it is to leave. */
  begin(): boolean {
    const { routes, writes, timeScheduler } = this.#options;
    if (routes.target() !== 'self' || !writes.hasWaiting) return false;
    if (!routes.isDiskBusy() && !writes.isGathering) return false;
    if (this.#next === null) {
      this.#sinceMs = routes.now();
      this.#next = timeScheduler.schedule(this.#look, diskMsMax);
    }
    return true;
  }

  /** What waited leaves. */
  end(): void {
    this.#next?.unsubscribe();
    this.#next = null;
  }
}
