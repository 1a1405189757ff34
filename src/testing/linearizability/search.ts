import { wordsOf } from '../words-of.ts';
import type { RecordedOperation } from './history.ts';
import type { LinearizableModel } from './model.ts';
import { predecessors } from './process-order.ts';

/** What the object could be, given what has been answered so far. */
export interface Possibility<State> {
  readonly state: State;
  /** Operations without an answer yet that took effect already, by their place in the history; sorted. */
  readonly done: readonly number[];
}

/** How the search over one key ended. */
export type SearchResult<State> =
  | { readonly type: 'linearizable' }
  | { readonly type: 'undecided'; readonly steps: number }
  /** No order explains the answer at `place`; `before` is what was possible until then. */
  | { readonly type: 'violation'; readonly place: number; readonly before: readonly Possibility<State>[] };

/** A moment of a history: an operation is called, or answered. */
interface Moment {
  readonly type: 'call' | 'answer';
  readonly place: number;
  readonly at: number;
}

/**
 * Looks for an order that explains the history of one key: the search of Wing and Gong with Lowe's memo of states
 * seen ("Testing for linearizability"), in the order of time. It keeps everything that the object could be, and
 * lets an operation take effect no sooner than some answer needs it. So it begins anew, with one possibility, at
 * each moment at which nothing is under way, and the first answer that nothing explains is where a history breaks.
 */
export class Search<State, Operation, Result> {
  readonly #model: LinearizableModel<State, Operation, Result>;
  readonly #history: readonly RecordedOperation<Operation, Result>[];
  readonly #stepsMax: number;
  /** By place: what must have taken effect before, since the same process was answered it. */
  readonly #predecessors: ReadonlyMap<number, number>;
  /** By place: what it was answered, in words. */
  readonly #told = new Map<number, string>();
  readonly #pending = new Set<number>();
  #possibilities: readonly Possibility<State>[];
  #steps = 0;

  /** @param history - of one key, without operations that were answered `notCommitted`. */
  constructor(
    model: LinearizableModel<State, Operation, Result>,
    history: readonly RecordedOperation<Operation, Result>[],
    stepsMax: number,
  ) {
    this.#model = model;
    this.#history = history;
    this.#stepsMax = stepsMax;
    this.#predecessors = predecessors(history);
    this.#possibilities = [{ state: model.initial, done: [] }];
  }

  run(): SearchResult<State> {
    for (const { type, place } of this.#moments()) {
      if (type === 'call') {
        this.#pending.add(place);
        continue;
      }
      const before = this.#possibilities;
      this.#possibilities = this.#explain(place);
      this.#pending.delete(place);
      if (this.#steps > this.#stepsMax) return { type: 'undecided', steps: this.#steps };
      if (this.#possibilities.length === 0) return { type: 'violation', place, before };
    }
    return { type: 'linearizable' };
  }

  /** Calls before answers of the same time: what touches may overlap, if it is of different processes. Unknown ones are never answered. */
  #moments(): readonly Moment[] {
    const moments = this.#history.flatMap((each, place): Moment[] => {
      const call: Moment = { type: 'call', place, at: each.invokedAt };
      return each.outcome.type === 'ok' ? [call, { type: 'answer', place, at: each.returnedAt }] : [call];
    });
    return moments.sort((a, b) => a.at - b.at || Number(a.type === 'answer') - Number(b.type === 'answer'));
  }

  /** Everything the object can be once this operation has taken effect, and was answered as it was. */
  #explain(answered: number): readonly Possibility<State>[] {
    const found = new Frontier<State>((place) => this.#history[place]?.outcome.type === 'unknown');
    const seen = new Set<string>();
    let wave = this.#possibilities;
    while (wave.length > 0 && this.#steps <= this.#stepsMax) {
      const next: Possibility<State>[] = [];
      for (const each of wave) {
        const key = this.#keyOf(each);
        if (seen.has(key)) continue;
        seen.add(key);
        if (each.done.includes(answered)) {
          const done = each.done.filter((place) => place !== answered);
          found.add({ state: each.state, done }, this.#model.describeState(each.state));
        } else next.push(...this.#successors(each));
      }
      wave = next;
    }
    return found.possibilities;
  }

  #successors({ state, done }: Possibility<State>): readonly Possibility<State>[] {
    const next: Possibility<State>[] = [];
    for (const place of this.#pending) {
      if (done.includes(place) || this.#mustWait(place, done)) continue;
      this.#steps += 1;
      const after = this.#effectOf(place, state);
      if (after !== undefined) next.push({ state: after.state, done: withPlace(done, place) });
    }
    return next;
  }

  /** Whether its process was answered something before that has not taken effect yet: their times touch. */
  #mustWait(place: number, done: readonly number[]): boolean {
    const before = this.#predecessors.get(place);
    return before !== undefined && this.#pending.has(before) && !done.includes(before);
  }

  /** What the operation makes of the state; `undefined` if it would have answered otherwise. */
  #effectOf(place: number, state: State): { readonly state: State } | undefined {
    const { operation, outcome } = this.#history[place] as RecordedOperation<Operation, Result>;
    const { state: next, result } = this.#model.apply(state, operation);
    if (outcome.type !== 'ok') return { state: next };
    const { isSame } = this.#model;
    const fits = isSame === undefined ? this.#isAnswer(place, result) : isSame(result, outcome.result);
    return fits ? { state: next } : undefined;
  }

  /** Whether the operation was answered this, as far as words can tell; those of the history are made once. */
  #isAnswer(place: number, expected: Result): boolean {
    const { outcome } = this.#history[place] as RecordedOperation<Operation, Result>;
    if (outcome.type !== 'ok') return false;
    const told = this.#told.get(place) ?? wordsOf(outcome.result, 'an answer of the history');
    this.#told.set(place, told);
    return wordsOf(expected, 'an answer of the model') === told;
  }

  #keyOf({ state, done }: Possibility<State>): string {
    return `${done.join(',')} ${this.#model.describeState(state)}`;
  }
}

/**
 * Possibilities, without those that another one makes needless: the same state and the same answered operations,
 * with fewer unknown ones used up. An unknown operation need never take effect, so the other can do all it can.
 */
class Frontier<State> {
  readonly #isUnknown: (place: number) => boolean;
  readonly #byState = new Map<string, Possibility<State>[]>();

  constructor(isUnknown: (place: number) => boolean) {
    this.#isUnknown = isUnknown;
  }

  get possibilities(): readonly Possibility<State>[] {
    return [...this.#byState.values()].flat();
  }

  add(possibility: Possibility<State>, state: string): void {
    const known = possibility.done.filter((place) => !this.#isUnknown(place));
    const key = `${known.join(',')} ${state}`;
    const others = this.#byState.get(key) ?? [];
    if (others.some(({ done }) => isWithin(done, possibility.done))) return;
    this.#byState.set(key, [...others.filter(({ done }) => !isWithin(possibility.done, done)), possibility]);
  }
}

function isWithin(part: readonly number[], whole: readonly number[]): boolean {
  return part.every((place) => whole.includes(place));
}

function withPlace(places: readonly number[], place: number): readonly number[] {
  return [...places, place].sort((a, b) => a - b);
}
