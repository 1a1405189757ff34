import { type Observable, Observable as Source } from 'rxjs';

/**
 * Works on one buffer at a time: what arrives while the work is under way is collected, and is the next
 * buffer. So a slow consumer is asked seldom, with much at once, and a quick one at once.
 *
 * Emits what the work resolves to. Errors when it rejects, and never begins again. Completes once the source
 * has completed and the last buffer is done.
 */
export function bufferWhile<T, R>(
  work: (buffer: readonly T[]) => Promise<R>,
): (source$: Observable<T>) => Observable<R> {
  return (source$) =>
    new Source((subscriber) => {
      let buffer: T[] = [];
      let isWorking = false;
      let isComplete = false;
      const begin = (): void => {
        const taken = buffer;
        buffer = [];
        isWorking = true;
        work(taken).then(end, (error: unknown) => subscriber.error(error));
      };
      const end = (result: R): void => {
        isWorking = false;
        if (subscriber.closed) return;
        subscriber.next(result);
        if (buffer.length > 0 && !isWorking) begin();
        else if (isComplete && !isWorking) subscriber.complete();
      };
      return source$.subscribe({
        next(value) {
          buffer.push(value);
          if (!isWorking) begin();
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          isComplete = true;
          if (!isWorking) subscriber.complete();
        },
      });
    });
}
