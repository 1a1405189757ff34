import { asyncScheduler, Observable, type SchedulerLike, type Subscription } from 'rxjs';

/** Which values need not begin a buffer at once, and for how long. */
export interface Patience<T> {
  /** Nobody waits for what becomes of it. */
  readonly canWait: (value: T) => boolean;
  /** But no longer than so many milliseconds, or until the work before is done. */
  readonly waitMsMax: number;
  /** What a value counts for. Once so much waits, work begins. */
  readonly sizeOf: (value: T) => number;
  readonly waitSizeMax: number;
  readonly scheduler: SchedulerLike;
}

const none: Patience<unknown> = {
  canWait: () => false,
  waitMsMax: 0,
  sizeOf: () => 0,
  waitSizeMax: 0,
  scheduler: asyncScheduler,
};

/**
 * Works on one buffer at a time: what arrives while the work is under way is collected, and is the next
 * buffer. So a slow consumer is asked seldom, with much at once, and a quick one at once. Values that can wait are
 * collected too, until one comes that can't, they are too much, or their time is over; the order stays.
 *
 * Emits what the work resolves to. Errors when it rejects or throws, and never begins again. Completes once
 * the source has completed and the last buffer is done. Not shared.
 */
export function bufferWhile<T, R>(
  work: (buffer: readonly T[]) => Promise<R>,
  { canWait, waitMsMax, sizeOf, waitSizeMax, scheduler }: Patience<T> = none,
): (source$: Observable<T>) => Observable<R> {
  return (source$) =>
    new Observable((subscriber) => {
      let buffer: T[] = [];
      let size = 0; // Of what can wait.
      let isWorking = false;
      let isDue = false;
      let isComplete = false;
      let waiting: Subscription | null = null;
      const begin = (): void => {
        const taken = buffer;
        buffer = [];
        size = 0;
        isWorking = true;
        isDue = false;
        waiting?.unsubscribe();
        waiting = null;
        new Promise<R>((resolve) => resolve(work(taken))).then(end, (error: unknown) =>
          subscriber.error(error),
        );
      };
      const beginIfDue = (): void => {
        if (isWorking) return;
        if (isDue) begin();
        else if (isComplete) subscriber.complete();
      };
      const end = (result: R): void => {
        isWorking = false;
        if (subscriber.closed) return;
        subscriber.next(result);
        if (!subscriber.closed) beginIfDue(); // The result may have brought more, or an end.
      };
      const onDue = (): void => {
        isDue = true;
        beginIfDue();
      };
      const all = source$.subscribe({
        next(value) {
          buffer.push(value);
          if (!canWait(value)) return onDue();
          size += sizeOf(value);
          if (size >= waitSizeMax) onDue();
          else if (!isDue) waiting ??= scheduler.schedule(onDue, waitMsMax);
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          isComplete = true;
          isDue = buffer.length > 0;
          beginIfDue();
        },
      });
      all.add(() => waiting?.unsubscribe());
      return all;
    });
}
