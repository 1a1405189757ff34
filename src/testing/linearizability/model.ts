/**
 * What an object does when it is asked one thing at a time. A history is linearizable if this could have answered
 * the same, each operation taking effect at one moment between its call and its answer.
 */
export interface LinearizableModel<State, Operation, Result> {
  /** The object before the first operation. */
  readonly initial: State;
  /** What an operation makes of the object, and what it answers. Pure: the same every time, and changes nothing. */
  apply(state: State, operation: Operation): { readonly state: State; readonly result: Result };
  /**
   * Whether this is the answer that the model gives. Default: both hold the same, whatever the order of an object's
   * keys, a `Set` or a `Map`. `undefined`, `null`, `NaN`, `0` and `-0` differ, and so do a key with `undefined` and none. An
   * instance of a class, also of one that extends `Error` or `Array`, counts by its `toJSON()`; what can't be compared, such
   * as a function, throws a `TypeError`.
   */
  isSame?(expected: Result, actual: Result): boolean;
  /** The state in words. Two states are taken for the same when their words are. */
  describeState(state: State): string;
  /** The operation in words, such as `put a`. */
  describeOperation(operation: Operation): string;
  /** The answer in words. */
  describeResult(result: Result): string;
}
