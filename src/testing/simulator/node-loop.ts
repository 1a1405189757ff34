import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs';
import { VirtualAction, type VirtualScheduler } from '../virtual-scheduler.ts';

/**
 * The event loop and the clock of one simulated process, over the time that all of them share. The clock may go
 * fast or slow and jump ahead; the loop may stand still for a while, and everything that comes due meanwhile
 * waits in order.
 */
export class NodeLoop implements SchedulerLike {
  readonly #shared: VirtualScheduler;
  #rate = 1;
  /** The shared time and the clock's own when its rate last changed. */
  #since: { readonly sharedMs: number; readonly ownMs: number };
  /** What came due while the loop stands still; `null` while it runs. */
  #waiting: (() => void)[] | null = null;
  #isOver = false;

  constructor(shared: VirtualScheduler) {
    this.#shared = shared;
    this.#since = { sharedMs: shared.now(), ownMs: 0 };
  }

  /** Milliseconds on the process's own clock: never goes back. */
  now(): number {
    return this.#since.ownMs + (this.#shared.now() - this.#since.sharedMs) * this.#rate;
  }

  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
    const add = (action: VirtualAction<T>, waitMs: number) => this.runAfter(waitMs, () => action.run());
    return new VirtualAction<T>(add, work).schedule(state, delayMs);
  }

  /** Runs work in this loop once so many milliseconds have passed on its clock. */
  runAfter(delayMs: number, work: () => void): void {
    this.#shared.runAfter(Math.ceil(delayMs / this.#rate), () => this.run(work));
  }

  /** Runs work in this loop: now, or when it goes on. Never, once the process has ended. */
  run(work: () => void): void {
    if (this.#isOver) return;
    if (this.#waiting === null) work();
    else this.#waiting.push(work);
  }

  /** From now on the clock goes `rate` times as fast as the shared time. */
  setRate(rate: number): void {
    this.#since = { sharedMs: this.#shared.now(), ownMs: this.now() };
    this.#rate = rate;
  }

  /** The clock is so much ahead of where it was, as after a suspended machine wakes. */
  jump(aheadMs: number): void {
    this.#since = { ...this.#since, ownMs: this.#since.ownMs + aheadMs };
  }

  get isPaused(): boolean {
    return this.#waiting !== null;
  }

  /** Stands still: a long collection of garbage, SIGSTOP, a machine without a processor to run on. */
  pause(): void {
    this.#waiting ??= [];
  }

  /** Goes on with what has come due. */
  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const work of waiting) this.run(work);
  }

  /** The process is gone. */
  end(): void {
    this.#isOver = true;
    this.#waiting = null;
  }
}
