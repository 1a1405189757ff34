import type { SchedulerLike } from 'rxjs';

/**
 * The clock of deadlines and of waits, in monotonic milliseconds: that of the process or, in virtual time, of the scheduler. That of RxJS's own
 * schedulers is the wall clock, which somebody may set back.
 */
export function clockOf(timeScheduler: SchedulerLike | undefined): () => number {
  return timeScheduler === undefined ? () => performance.now() : () => timeScheduler.now();
}
