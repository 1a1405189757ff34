import type { RaftNode, SessionCommand, SessionResult, StateMachine } from 'rxraft';
import type { MachineStore } from 'rxraft/storage';
import { type KvCommand, type KvOp, kvCommandCodec } from './kv-command.ts';
import { type KvExecuted, type KvOpResult, type KvResult, kvExecutedCodec } from './kv-result.ts';

/** What can be asked. */
export type KvQuery =
  | { readonly type: 'get'; readonly key: Uint8Array }
  | { readonly type: 'exists'; readonly key: Uint8Array }
  /** Keys that begin with `prefix`, from `from` (inclusive) on, ascending, at most `limit`. */
  | {
      readonly type: 'range';
      readonly prefix: Uint8Array;
      readonly from: Uint8Array;
      readonly limit: number;
    };

/** The answer to a query, of the same name. */
export type KvAnswer =
  | { readonly type: 'get'; readonly value: Uint8Array | null }
  | { readonly type: 'exists'; readonly exists: boolean }
  /** `next` is where to go on from: the first key left out; `null` at the end. */
  | { readonly type: 'range'; readonly entries: readonly KvEntry[]; readonly next: Uint8Array | null };

/** A key with its value. */
export type KvEntry = readonly [key: Uint8Array, value: Uint8Array];

/** A node that replicates keys and values, and carries out what a client's session retries only once. */
export type KvNode = RaftNode<SessionCommand<KvCommand>, SessionResult<KvExecuted>, KvQuery, KvAnswer>;

/** Values in one range answer; the entry that goes over is the last one. */
export const rangeBytesMax = 4 * 1024 * 1024;

/** All keys of the user begin with this byte in the machine's store; what else may come has the others. */
const userSpace = 0x01;

/**
 * The replicated map from keys to values. It keeps its data in the node's own store, so that a restart
 * begins where it ended, and it depends on nothing but its commands: no clock, no configuration.
 */
export function kvMachine(): StateMachine<KvCommand, KvExecuted, KvQuery, KvAnswer> {
  let store: MachineStore | undefined;
  const opened = (): MachineStore => {
    if (store === undefined) throw new Error('the machine was used before it was opened');
    return store;
  };
  return {
    keeps: 'store',
    command: kvCommandCodec,
    result: kvExecutedCodec,
    open(machineStore) {
      store = machineStore;
      return machineStore.appliedIndex;
    },
    apply: (commands, { index, term }) =>
      commands.map((command, offset) => ({
        index: index + offset,
        term,
        result: applyCommand(opened(), command),
      })),
    query: (query) => answer(opened(), query),
  };
}

function applyCommand(store: MachineStore, command: KvCommand): KvResult {
  switch (command.type) {
    case 'batch':
      return { type: 'batch', results: command.ops.map((op) => applyOp(store, op)) };
    case 'unreadable':
      return { type: 'unreadable' };
    default:
      return applyOp(store, command);
  }
}

function applyOp(store: MachineStore, op: KvOp): KvOpResult {
  const key = stored(op.key);
  switch (op.type) {
    case 'put':
      store.put(key, op.value);
      return { type: 'put' };
    case 'delete': {
      const existed = store.get(key) !== undefined;
      if (existed) store.delete(key);
      return { type: 'delete', existed };
    }
    case 'append': {
      const before = store.get(key) ?? new Uint8Array(0);
      const length = before.byteLength + op.value.byteLength;
      if (length > op.valueBytesMax) return { type: 'tooLarge', length, valueBytesMax: op.valueBytesMax };
      store.put(key, Buffer.concat([before, op.value], length));
      return { type: 'append', length };
    }
    case 'cas': {
      const swapped = isSame(store.get(key) ?? null, op.expect);
      if (swapped) store.put(key, op.value);
      return { type: 'cas', swapped };
    }
  }
}

function answer(store: MachineStore, query: KvQuery): KvAnswer {
  switch (query.type) {
    case 'get':
      return { type: 'get', value: store.get(stored(query.key)) ?? null };
    case 'exists':
      return { type: 'exists', exists: store.get(stored(query.key)) !== undefined };
    case 'range':
      return range(store, query);
  }
}

function range(store: MachineStore, query: KvQuery & { readonly type: 'range' }): KvAnswer {
  const first = Buffer.compare(query.from, query.prefix) > 0 ? query.from : query.prefix;
  const entries: KvEntry[] = [];
  let valueBytes = 0;
  for (const [key, value] of store.range({ from: stored(first), to: endOf(stored(query.prefix)) })) {
    const userKey = key.subarray(1);
    const isFull = entries.length === query.limit || valueBytes >= rangeBytesMax;
    if (isFull) return { type: 'range', entries, next: userKey };
    entries.push([userKey, value]);
    valueBytes += value.byteLength;
  }
  return { type: 'range', entries, next: null };
}

/** A user's key as the store has it. */
function stored(key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + key.byteLength);
  bytes[0] = userSpace;
  bytes.set(key, 1);
  return bytes;
}

/** The first key after all that begin with `prefix`, whose first byte is below `0xff`. */
function endOf(prefix: Uint8Array): Uint8Array {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  const end = prefix.slice(0, last + 1);
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
