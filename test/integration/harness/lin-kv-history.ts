import type { LinearizableModel, RecordedOperation } from '../../../src/testing/linearizability/index.ts';

/** What a client of lin-kv does to a key. Values are numbers, each written by one operation. */
export type LinKvOperation =
  | { readonly type: 'read' }
  | { readonly type: 'write'; readonly value: number }
  | { readonly type: 'cas'; readonly from: number; readonly to: number };

/** What it is answered. `missing`: there is no such key; `differs`: its value is not `from`. */
export type LinKvResult =
  | { readonly type: 'read'; readonly value: number | null }
  | { readonly type: 'done' }
  | { readonly type: 'missing' }
  | { readonly type: 'differs' };

/** One operation, when it was under way, and what came of it. */
export type LinKvRecord = RecordedOperation<LinKvOperation, LinKvResult>;

/** One key of lin-kv: its value, or `null` while nobody has written it. */
export const linKvModel: LinearizableModel<number | null, LinKvOperation, LinKvResult> = {
  initial: null,
  apply(state, operation) {
    if (operation.type === 'read') return { state, result: { type: 'read', value: state } };
    if (operation.type === 'write') return { state: operation.value, result: { type: 'done' } };
    if (state === null) return { state, result: { type: 'missing' } };
    if (state !== operation.from) return { state, result: { type: 'differs' } };
    return { state: operation.to, result: { type: 'done' } };
  },
  describeState: (state) => `${state}`,
  describeOperation: (operation) => JSON.stringify(operation),
  describeResult: (result) => JSON.stringify(result),
};
