import { describeViolation } from './describe-violation.ts';
import type { RecordedOperation } from './history.ts';
import type { LinearizableModel } from './model.ts';
import { checkTimes } from './process-order.ts';
import { Search } from './search.ts';

/** What a check came to. */
export type LinearizabilityVerdict =
  | { readonly type: 'linearizable'; readonly keys: number; readonly operations: number }
  /** The steps were not enough for these keys, and no other key is in the wrong. It says nothing: no pass. */
  | { readonly type: 'undecided'; readonly keys: readonly string[]; readonly stepsMax: number }
  | LinearizabilityViolation;

/** A history that nothing which does one thing at a time could have produced. */
export interface LinearizabilityViolation {
  readonly type: 'violation';
  readonly key: string;
  /** Which answer, what was possible instead, and what came before. */
  readonly message: string;
  /** Operations answered before the one that nothing explains; these can be explained. */
  readonly prefixLength: number;
}

/** Limits of a check. */
export interface LinearizabilityOptions {
  /** Steps, which are attempts to let one operation take effect, that each key may take. Default 1,000,000. */
  readonly stepsMax?: number;
}

/** Steps that a key may take unless it is said otherwise. */
export const linearizabilityStepsMax = 1_000_000;

/**
 * Whether a history is linearizable: for each key there is an order of its operations, each at a moment between its
 * call and its answer, in which the model answers the same. Operations answered `notCommitted` must have had no
 * effect; those that are `unknown` may have had theirs at any time after they were called, once, or never.
 *
 * A process does one thing at a time: an operation takes effect after what the same process was answered before it
 * called, and where such times are the same, the order in the list decides. Operations of different processes whose
 * times touch may overlap. An unknown one may still take effect while its process goes on.
 *
 * Throws a `RangeError` if two answered operations of one process overlap, or if a time is no number; a `TypeError`
 * if answers hold what can't be compared, and the model has no `isSame`.
 *
 * The time it takes grows with the length of the history, and exponentially with how many operations of one key
 * are under way at once or unknown: hence the limit.
 */
export function checkLinearizability<State, Operation, Result>(
  model: LinearizableModel<State, Operation, Result>,
  history: readonly RecordedOperation<Operation, Result>[],
  { stepsMax = linearizabilityStepsMax }: LinearizabilityOptions = {},
): LinearizabilityVerdict {
  if (!(stepsMax >= 1)) throw new RangeError(`stepsMax is ${stepsMax}, expected at least 1`);
  checkTimes(history);
  const undecided: string[] = [];
  const byKey = groupByKey(history);
  for (const [key, all] of byKey) {
    const relevant = all.filter(({ outcome }) => outcome.type !== 'notCommitted');
    const result = new Search(model, relevant, stepsMax).run();
    if (result.type === 'undecided') undecided.push(key);
    if (result.type !== 'violation') continue;
    const { place, before } = result;
    const states = before.map(({ state }) => state);
    return { key, ...describeViolation(model, { all, relevant, place, states, stepsMax }) };
  }
  if (undecided.length > 0) return { type: 'undecided', keys: undecided, stepsMax };
  return { type: 'linearizable', keys: byKey.size, operations: history.length };
}

function groupByKey<Operation, Result>(
  history: readonly RecordedOperation<Operation, Result>[],
): Map<string, RecordedOperation<Operation, Result>[]> {
  const byKey = new Map<string, RecordedOperation<Operation, Result>[]>();
  for (const each of history) {
    const others = byKey.get(each.key);
    if (others === undefined) byKey.set(each.key, [each]);
    else others.push(each);
  }
  return byKey;
}
