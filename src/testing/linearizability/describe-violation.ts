import { shownApart, wordsOf } from '../words-of.ts';
import type { RecordedOperation } from './history.ts';
import type { LinearizableModel } from './model.ts';
import { Search } from './search.ts';

/** Of the history before the answer that can't be, so many operations are told. */
const toldMax = 12;
/** Of the values that were possible, so many are told. */
const valuesMax = 6;
/** A text of a value is cut to so many characters. */
const textMax = 160;

/** A history of one key that breaks at `place` of `relevant`. */
export interface BrokenHistory<State, Operation, Result> {
  readonly all: readonly RecordedOperation<Operation, Result>[];
  /** `all` without what was answered `notCommitted`. */
  readonly relevant: readonly RecordedOperation<Operation, Result>[];
  readonly place: number;
  /** What the object could be before. */
  readonly states: readonly State[];
  readonly stepsMax: number;
}

/** Tells a violation in words, with the history that leads to it. */
export function describeViolation<State, Operation, Result>(
  model: LinearizableModel<State, Operation, Result>,
  broken: BrokenHistory<State, Operation, Result>,
): { readonly type: 'violation'; readonly message: string; readonly prefixLength: number } {
  const { relevant, place, states } = broken;
  const culprit = relevant[place] as RecordedOperation<Operation, Result>;
  const prefix = relevant.filter(
    (each) => each.outcome.type === 'ok' && each !== culprit && each.returnedAt <= culprit.returnedAt,
  );
  const around = relevant.filter((each) => each !== culprit && each.invokedAt <= culprit.returnedAt);
  const told = around.sort((a, b) => a.invokedAt - b.invokedAt).slice(-toldMax);
  const values = [...new Set(states.map((state) => short(model.describeState(state))))];
  const open = around.filter(
    ({ outcome, returnedAt }) => outcome.type === 'unknown' || returnedAt > culprit.returnedAt,
  );
  const onTop = open.length === 0 ? '' : `, but for what was unknown or under way (${open.length})`;
  const message = [
    `key ${culprit.key} is not linearizable: ${lineOf(model, culprit)}`,
    `  nothing explains this answer. Before it, the object could be ${listOf(values)}${onTop}`,
    ...lookAlike(model, culprit, states),
    ...culpritsAmongRefused(model, broken),
    `  what was answered before it can be explained (${prefix.length}); the last that were called:`,
    ...told.map((each) => `    ${lineOf(model, each)}`),
  ].join('\n');
  return { type: 'violation', message, prefixLength: prefix.length };
}

/** The model's answer beside the one that was given, if the model's words for them are the same: nobody could tell what is wrong. */
function lookAlike<State, Operation, Result>(
  model: LinearizableModel<State, Operation, Result>,
  { operation, outcome }: RecordedOperation<Operation, Result>,
  states: readonly State[],
): readonly string[] {
  if (outcome.type !== 'ok') return [];
  const { result } = outcome;
  const isSame = model.isSame ?? ((expected, actual) => wordsOf(expected) === wordsOf(actual));
  const words = model.describeResult(result);
  const alike = states
    .map((state) => model.apply(state, operation).result)
    .filter((each) => model.describeResult(each) === words && !isSame(each, result));
  if (alike.length === 0) return [];
  const [right, wrong] = shownApart(alike[0], result);
  const told =
    right === wrong ? 'isSame tells them apart' : `the model answers ${right}, and the answer was ${wrong}`;
  return [`  describeResult has the same words for two answers: ${told}`];
}

/** Whether it would all fit if something that was answered `notCommitted` had taken effect. */
function culpritsAmongRefused<State, Operation, Result>(
  model: LinearizableModel<State, Operation, Result>,
  { all, relevant, place, stepsMax }: BrokenHistory<State, Operation, Result>,
): readonly string[] {
  const culprit = relevant[place] as RecordedOperation<Operation, Result>;
  for (const refused of all) {
    if (refused.outcome.type !== 'notCommitted') continue;
    const history = all
      .filter((each) => each === refused || each.outcome.type !== 'notCommitted')
      .map((each) => (each === refused ? { ...each, outcome: { type: 'unknown' } as const } : each));
    const result = new Search(model, history, stepsMax).run();
    const isExplained =
      result.type === 'linearizable' || (result.type === 'violation' && history[result.place] !== culprit);
    if (isExplained) return [`  it would be explained if this had taken effect: ${lineOf(model, refused)}`];
  }
  return [];
}

function lineOf<State, Operation, Result>(
  model: LinearizableModel<State, Operation, Result>,
  { process, operation, invokedAt, returnedAt, outcome }: RecordedOperation<Operation, Result>,
): string {
  const answer = outcome.type === 'ok' ? `answered ${model.describeResult(outcome.result)}` : outcome.type;
  const until = outcome.type === 'unknown' ? '?' : timeOf(returnedAt);
  return short(`${timeOf(invokedAt)}–${until} ${process}: ${model.describeOperation(operation)}, ${answer}`);
}

function timeOf(at: number): string {
  return Number.isInteger(at) ? String(at) : at.toFixed(3);
}

function listOf(values: readonly string[]): string {
  const told = values.slice(0, valuesMax).join(' or ');
  return values.length > valuesMax ? `${told}, or ${values.length - valuesMax} others` : told;
}

function short(text: string): string {
  if (text.length <= textMax) return text;
  const half = textMax / 2;
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}
