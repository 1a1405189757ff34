import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

/**
 * Time that passes only when told to. Work that is due at the same moment is done in the order it was scheduled.
 *
 * Our own rather than RxJS's `VirtualTimeScheduler`: that one runs to the end of all work, chains the actions
 * of an `interval` so that a long run overflows the stack when it is unsubscribed, and stands still between
 * actions.
 */
export class VirtualScheduler implements SchedulerLike {
  /** What is due, the next to do last. */
  readonly #due: Due[] = [];
  #nowMs = 0;

  /** Milliseconds since the beginning. */
  now(): number {
    return this.#nowMs;
  }

  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
    const add = (action: VirtualAction<T>, waitMs: number) => this.runAfter(waitMs, () => action.run());
    return new VirtualAction<T>(add, work).schedule(state, delayMs);
  }

  /** When the next work is due; `undefined` if there is none. */
  get nextAtMs(): number | undefined {
    return this.#due.at(-1)?.atMs;
  }

  /** Lets time pass until this moment, and does what is due, whatever that brings with it included. */
  advanceTo(atMs: number): void {
    for (let next = this.nextAtMs; next !== undefined && next <= atMs; next = this.nextAtMs) {
      this.#nowMs = Math.max(this.#nowMs, next);
      this.#due.pop()?.run();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Runs work once so many milliseconds have passed: what `schedule` does, for work that is never called off. */
  runAfter(delayMs: number, run: () => void): void {
    const atMs = this.#nowMs + Math.max(0, delayMs);
    let low = 0;
    let high = this.#due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#due[middle] as Due).atMs > atMs) low = middle + 1;
      else high = middle;
    }
    this.#due.splice(low, 0, { atMs, run });
  }
}

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** One piece of work, which may schedule itself anew. */
export class VirtualAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #add: (action: VirtualAction<T>, delayMs: number) => void;
  readonly #work: (this: SchedulerAction<T>, state?: T) => void;
  #state: T | undefined;

  constructor(
    add: (action: VirtualAction<T>, delayMs: number) => void,
    work: (this: SchedulerAction<T>, state?: T) => void,
  ) {
    super();
    this.#add = add;
    this.#work = work;
  }

  schedule(state?: T, delayMs = 0): Subscription {
    this.#state = state;
    if (!this.closed) this.#add(this, delayMs);
    return this;
  }

  run(): void {
    if (!this.closed) this.#work.call(this, this.#state);
  }
}
