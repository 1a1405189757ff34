import { type Index, index0, plus } from '../core/index.ts';
import { jsonCodec } from './codecs.ts';
import type { Codec, LogPosition, StateMachine } from './state-machine.ts';

/** A question to the state of a reducer, asked where the state is. */
export type Selector<State, Answer> = (state: State) => Answer;

/** How commands and results of a {@link reducer} become bytes. Both are JSON unless said otherwise. */
export interface ReducerOptions<Command, Result> {
  readonly command?: Codec<Command>;
  readonly result?: Codec<Result>;
}

/**
 * A state machine from a pure function `(state, command, at) => [next state, result]`. The state lives in
 * memory, and is rebuilt from the log when the node starts.
 *
 * The function must not change the state that it is given, and must not look at clocks or random numbers:
 * `at.logTimeMs` is the same on every node. If it throws, the node stops.
 */
export function reducer<State, Command, Result>(
  initial: State,
  reduce: (state: State, command: Command, at: LogPosition) => readonly [State, Result],
  options: ReducerOptions<Command, Result> = {},
  // biome-ignore lint/suspicious/noExplicitAny: each read chooses the type of its own answer.
): StateMachine<Command, Result, Selector<State, any>, any> {
  let state = initial;
  return {
    keeps: 'memory',
    command: options.command ?? jsonCodec<Command>(),
    result: options.result ?? jsonCodec<Result>(),
    open(): Index {
      state = initial;
      return index0;
    },
    apply(commands: readonly Command[], at: LogPosition): readonly Result[] {
      return commands.map((command, offset) => {
        const [next, result] = reduce(state, command, { ...at, index: plus(at.index, offset) });
        state = next;
        return result;
      });
    },
    query: (select) => select(state),
  };
}
