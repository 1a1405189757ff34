import { Observable } from 'rxjs';
import { type Input, type State, type Step, step } from '../core/index.ts';

/** A step, the state it began from, and the input that led to it: what `step` was given, and what it gave. */
export interface Stepped extends Step {
  readonly before: State;
  readonly input: Input;
}

/**
 * Folds inputs through `step`, one after the other, and emits each result.
 *
 * Runs to completion: an input that arrives while a result is being carried out waits in a queue, so that a
 * completion which comes back synchronously never finds the node halfway through a step (a re-entrant
 * `Subject.next` would deliver out of order). One subscription is one node; share the result. Completes and
 * errors with its source.
 */
export function stepWith(initial: State): (input$: Observable<Input>) => Observable<Stepped> {
  return (input$) =>
    new Observable((subscriber) => {
      const waiting: Input[] = [];
      let state = initial;
      let isRunning = false;
      const run = (): void => {
        isRunning = true;
        for (let at = 0; at < waiting.length && !subscriber.closed; at++) {
          const input = waiting[at] as Input;
          const before = state;
          const result = step(before, input);
          state = result.state;
          subscriber.next({ before, state, outputs: result.outputs, input });
        }
        waiting.length = 0;
        isRunning = false;
      };
      return input$.subscribe({
        next(input) {
          waiting.push(input);
          if (!isRunning) run();
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}
