import type { SchedulerLike, Subscription } from 'rxjs';
import type { Routes } from './routes.ts';

/** It is asked again each so many milliseconds whether others are still to come. */
const lookMs = 1;

/** Requests that may be held back. */
export interface HeldQueue {
  readonly hasWaiting: boolean;
  /** More are about to come, which those that wait should wait for. */
  readonly isGathering: boolean;
  /** What waits for others does so at most so long. */
  readonly patienceMs: number;
}

/** What a {@link Hold} works with. */
export interface HoldOptions {
  readonly routes: Pick<Routes, 'target' | 'now'>;
  readonly queue: HeldQueue;
  /** Whether what comes is held for as long as the first look takes, whoever is to come. */
  readonly isBusy: () => boolean;
  /** When it is looked for the first time whether it is over. */
  readonly firstLookMs: number;
  readonly timeScheduler: SchedulerLike;
  /** Requests have waited for long enough: whoever sends them ends the hold. */
  readonly onOver: () => void;
}

/**
 * Holds a leader's requests back, while its own disk is at work or more are about to come: what leaves together costs
 * every node less. Not for long, since others may be quicker than our disk.
 */
export class Hold {
  readonly #options: HoldOptions;
  /** The next look at the requests that wait. */
  #next: Subscription | null = null;
  #sinceMs = 0;
  /** Looks at requests that have waited: a disk that hangs holds them no longer, others who are to come do. */
  readonly #look = (): void => {
    const { routes, queue, timeScheduler, onOver } = this.#options;
    const heldMs = routes.now() - this.#sinceMs;
    if (heldMs >= queue.patienceMs || !queue.isGathering) return onOver();
    this.#next = timeScheduler.schedule(this.#look, lookMs);
  };

  constructor(options: HoldOptions) {
    this.#options = options;
  }

  /** Whether requests are held. */
  get isOn(): boolean {
    return this.#next !== null;
  }

  /** A turn is over: holds what waits, if it is to wait for more; `false` if it is to leave. */
  begin(): boolean {
    const { routes, queue, isBusy, firstLookMs, timeScheduler } = this.#options;
    if (routes.target() !== 'self' || !queue.hasWaiting) return false;
    if (!isBusy() && !queue.isGathering) return false;
    if (this.#next === null) {
      this.#sinceMs = routes.now();
      this.#next = timeScheduler.schedule(this.#look, firstLookMs);
    }
    return true;
  }

  /** What waited leaves. */
  end(): void {
    this.#next?.unsubscribe();
    this.#next = null;
  }
}
