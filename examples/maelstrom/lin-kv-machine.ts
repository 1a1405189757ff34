import { createHash } from 'node:crypto';
import { jsonCodec, type StateMachine } from 'rxraft';
import type { MachineStore } from 'rxraft/storage';

/** What is replicated. Keys and values are canonical JSON, so that equal ones are equal texts. */
export type LinKvCommand =
  | { readonly type: 'write'; readonly key: string; readonly value: string }
  | {
      readonly type: 'cas';
      readonly key: string;
      readonly from: string;
      readonly to: string;
      /** Whether a key that does not exist is set to `to`. */
      readonly creates: boolean;
    };

/** What a command came to: it was carried out, its key does not exist, or it has another value than `from`. */
export type LinKvResult = 'done' | 'missing' | 'differs';

/** The replicated map. A query is a key; its answer is the value, or `null`. */
export type LinKvMachine = StateMachine<LinKvCommand, LinKvResult, string, string | null>;

/** Keys of the store are bounded; a longer one stands there by its hash. */
const plainKeyBytesMax = 1_024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keeps its data in the node's own store, so that a process that was killed begins where it ended. */
export function linKvMachine(): LinKvMachine {
  let store: MachineStore | undefined;
  const opened = (): MachineStore => {
    if (store === undefined) throw new Error('the machine was used before it was opened');
    return store;
  };
  return {
    keeps: 'store',
    command: jsonCodec<LinKvCommand>(),
    result: jsonCodec<LinKvResult>(),
    open(machineStore) {
      store = machineStore;
      return machineStore.appliedIndex;
    },
    apply: (commands) => commands.map((command) => apply(opened(), command)),
    query: (key) => valueIn(opened(), key),
  };
}

function apply(store: MachineStore, command: LinKvCommand): LinKvResult {
  if (command.type === 'write') return set(store, command.key, command.value);
  const { key, from, to, creates } = command;
  const value = valueIn(store, key);
  if (value === null && !creates) return 'missing';
  if (value !== null && value !== from) return 'differs';
  return set(store, key, to);
}

function set(store: MachineStore, key: string, value: string): LinKvResult {
  store.put(stored(key), encoder.encode(value));
  return 'done';
}

function valueIn(store: MachineStore, key: string): string | null {
  const bytes = store.get(stored(key));
  return bytes === undefined ? null : decoder.decode(bytes);
}

/** A key as the store has it. No JSON begins with `#`, so that a hash is never taken for a key. */
function stored(key: string): Uint8Array {
  const bytes = encoder.encode(key);
  if (bytes.byteLength <= plainKeyBytesMax) return bytes;
  return encoder.encode(`#${createHash('sha256').update(bytes).digest('hex')}`);
}
