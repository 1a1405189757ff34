import { asyncScheduler, type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';

function run<T>(
  work: (this: SchedulerAction<T>, state?: T) => void,
  action: SchedulerAction<T>,
  state?: T,
): void {
  work.call(action, state);
}

/**
 * Runs work at the end of an event-loop turn, after the I/O of that turn: with `setImmediate` where there is
 * one, else with the next timer. What asks for a delay goes to `asyncScheduler`.
 */
export const turnScheduler: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T): Subscription {
    if (delayMs > 0 || typeof setImmediate === 'undefined')
      return asyncScheduler.schedule(work, delayMs, state);
    const action = new Subscription() as SchedulerAction<T>;
    action.schedule = (nextState?: T, nextDelayMs = 0) =>
      turnScheduler.schedule(work, nextDelayMs, nextState);
    const handle = setImmediate(run, work, action, state);
    action.add(() => clearImmediate(handle));
    return action;
  },
};
