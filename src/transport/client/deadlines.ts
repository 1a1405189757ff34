import type { SchedulerLike, Subscription } from 'rxjs';
import { timerMsMax } from '../limits.ts';

/** Timers, and the clock that deadlines are on. It is not the wall clock, which somebody may set back. */
export interface Time {
  readonly scheduler: SchedulerLike;
  readonly clock: () => number;
}

/** One timer for all deadlines: it is set for the earliest, and tells when some may have come. */
export class Deadlines {
  readonly #scheduler: SchedulerLike;
  readonly #clock: () => number;
  readonly #onDue: (nowMs: number) => void;
  #timer: Subscription | null = null;
  #dueMs = Number.POSITIVE_INFINITY;

  /** @param onDue - gives up what is late, and watches what is not. */
  constructor({ scheduler, clock }: Time, onDue: (nowMs: number) => void) {
    this.#scheduler = scheduler;
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Makes sure that somebody looks once this time has come. */
  watch(deadlineMs: number): void {
    if (deadlineMs >= this.#dueMs) return;
    this.stop();
    this.#dueMs = deadlineMs;
    const waitMs = Math.min(timerMsMax, Math.max(1, Math.ceil(deadlineMs - this.#clock()))); // Looks in between.
    this.#timer = this.#scheduler.schedule(() => this.#fire(), waitMs);
  }

  /** Looks no more. */
  stop(): void {
    this.#timer?.unsubscribe();
    this.#timer = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    this.#timer = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#onDue(this.#clock());
  }
}
