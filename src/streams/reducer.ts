import { type Index, index0, plus } from '../core/index.ts';
import { jsonCodec, strictJsonCodec } from './codecs.ts';
import { jsonLoss } from './json-loss.ts';
import type { Codec, LogPosition, StateMachine } from './state-machine.ts';

/** A question to the state of a reducer, asked where the state is. */
export type Selector<State, Answer> = (state: State) => Answer;

/**
 * How commands and results of a {@link reducer} become bytes. Both are JSON unless said otherwise; a command that JSON would
 * change is refused, a result is changed.
 */
export interface ReducerOptions<Command, Result, State> {
  readonly command?: Codec<Command>;
  readonly result?: Codec<Result>;
  /**
   * How the state becomes bytes, for snapshots. JSON unless said otherwise, and then a state that JSON would change is
   * refused, a `Map`, a `Date`, `NaN` and the like: the initial one at once, others when a snapshot is taken. A key with
   * `undefined` is not there any more after a snapshot, and `-0` is 0: a reducer must not tell them apart.
   */
  readonly state?: Codec<State>;
}

/**
 * A state machine from a pure function `(state, command, at) => [next state, result]`. The state lives in
 * memory, and is rebuilt from the log when the node starts.
 *
 * The function must not change the state that it is given, and must not look at clocks or random numbers:
 * `at.logTimeMs` is the same on every node. If it throws, the node stops. Throws a `TypeError` itself if snapshots would lose
 * what the initial state holds.
 */
export function reducer<State, Command, Result>(
  initial: State,
  reduce: (state: State, command: Command, at: LogPosition) => readonly [State, Result],
  options: ReducerOptions<Command, Result, State> = {},
  // biome-ignore lint/suspicious/noExplicitAny: each read chooses the type of its own answer.
): StateMachine<Command, Result, Selector<State, any>, any> {
  const stateCodec = options.state ?? checkedJsonCodec<State>();
  if (options.state === undefined) checkState(initial);
  let state = initial;
  return {
    keeps: 'memory',
    command: options.command ?? strictJsonCodec<Command>(),
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
    snapshot: () => pieces(stateCodec.encode(state)),
    restore(bytes): void {
      state = stateCodec.decode(joined(bytes));
    },
  };
}

/** As JSON, if that holds all of it: a snapshot takes the place of the log, so what it loses is lost for good. */
function checkedJsonCodec<State>(): Codec<State> {
  const json = jsonCodec<State>();
  const encode = (state: State): Uint8Array => {
    checkState(state);
    return json.encode(state);
  };
  return { ...json, encode };
}

function checkState(state: unknown): void {
  const loss = jsonLoss(state);
  if (loss === undefined) return;
  throw new TypeError(
    `the state of the reducer has ${loss}, which JSON can't hold: a snapshot would lose it. None is taken, and ` +
      'the log keeps every command. Give the reducer a codec for its state, reducer(…, { state }), or keep plain data in it',
  );
}

const pieceBytes = 128 * 1024;

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

function joined(parts: Iterable<Uint8Array>): Uint8Array {
  const all = [...parts];
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
