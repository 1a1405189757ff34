import { Observable } from 'rxjs';

/**
 * Works on one buffer at a time: what arrives while the work is under way is collected, and is the next
 * buffer. So a slow consumer is asked seldom, with much at once, and a quick one at once.
 *
 * Emits what the work resolves to. Errors when it rejects or throws, and never begins again. Completes once
 * the source has completed and the last buffer is done. Not shared.
 */
export function bufferWhile<T, R>(
  work: (buffer: readonly T[]) => Promise<R>,
): (source$: Observable<T>) => Observable<R> {
  return (source$) =>
    new Observable((subscriber) => {
      let buffer: T[] = [];
      let isWorking = false;
      let isComplete = false;
      const begin = (): void => {
        const taken = buffer;
        buffer = [];
        isWorking = true;
        new Promise<R>((resolve) => resolve(work(taken))).then(end, (error: unknown) =>
          subscriber.error(error),
        );
      };
      const end = (result: R): void => {
        isWorking = false;
        if (subscriber.closed) return;
        subscriber.next(result);
        if (isWorking || subscriber.closed) return; // The result brought more, or an end.
        if (buffer.length > 0) begin();
        else if (isComplete) subscriber.complete();
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
