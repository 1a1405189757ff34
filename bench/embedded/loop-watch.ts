import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopDelay } from './orders.ts';

/** Milliseconds between looks. What is recorded is the time from one to the next, so this is taken off again. */
const resolutionMs = 5;
const nanosecondsPerMs = 1e6;

/** Watches how late the event loop is, from the first time it is asked. */
export class LoopWatch {
  readonly #histogram = monitorEventLoopDelay({ resolution: resolutionMs });

  /** Since the last time. */
  take(): LoopDelay {
    const { max } = this.#histogram;
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / nanosecondsPerMs - resolutionMs);
    const delay = {
      p50Ms: ms(this.#histogram.percentile(50)),
      p99Ms: ms(this.#histogram.percentile(99)),
      maxMs: ms(max),
    };
    this.#histogram.reset();
    this.#histogram.enable();
    return delay;
  }
}
