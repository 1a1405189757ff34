import type { LinearizableModel } from './model.ts';

/** What one key of a key-value store can be asked. */
export type RegisterOperation =
  | { readonly type: 'get' }
  | { readonly type: 'put'; readonly value: string }
  | { readonly type: 'delete' }
  | { readonly type: 'append'; readonly value: string }
  /** `expect: null`: only if the key is not there. */
  | { readonly type: 'cas'; readonly expect: string | null; readonly value: string };

/** What it answers: `get` the value or `null`, `delete` whether there was one, `append` the new length. */
export type RegisterResult =
  | { readonly type: 'get'; readonly value: string | null }
  | { readonly type: 'put' }
  | { readonly type: 'delete'; readonly existed: boolean }
  | { readonly type: 'append'; readonly length: number }
  | { readonly type: 'cas'; readonly swapped: boolean };

/** One key of a key-value store: its value, or `null` if it is not there. Lengths are those of JavaScript strings. */
export const registerModel: LinearizableModel<string | null, RegisterOperation, RegisterResult> = {
  initial: null,
  apply(state, operation) {
    switch (operation.type) {
      case 'get':
        return { state, result: { type: 'get', value: state } };
      case 'put':
        return { state: operation.value, result: { type: 'put' } };
      case 'delete':
        return { state: null, result: { type: 'delete', existed: state !== null } };
      case 'append': {
        const value = (state ?? '') + operation.value;
        return { state: value, result: { type: 'append', length: value.length } };
      }
      case 'cas': {
        const swapped = state === operation.expect;
        return { state: swapped ? operation.value : state, result: { type: 'cas', swapped } };
      }
    }
  },
  describeState: (state) => JSON.stringify(state),
  describeOperation(operation) {
    switch (operation.type) {
      case 'get':
      case 'delete':
        return operation.type;
      case 'put':
      case 'append':
        return `${operation.type} ${JSON.stringify(operation.value)}`;
      case 'cas':
        return `cas ${JSON.stringify(operation.expect)} to ${JSON.stringify(operation.value)}`;
    }
  },
  describeResult(result) {
    switch (result.type) {
      case 'get':
        return JSON.stringify(result.value);
      case 'put':
        return 'done';
      case 'delete':
        return result.existed ? 'it was there' : 'it was not there';
      case 'append':
        return `length ${result.length}`;
      case 'cas':
        return result.swapped ? 'swapped' : 'not swapped';
    }
  },
};
