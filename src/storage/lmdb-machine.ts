import type { LmdbTables, ReadOptions } from './lmdb-tables.ts';
import type { FrozenMachine } from './medium.ts';
import { type MachineBounds, machineKeyOf } from './store-keys.ts';

/** Keys and values of a generation of the state machine's data, or of a part, in order. */
export function* machineEntries(
  { environment, keys }: LmdbTables,
  { generation, bounds, transaction }: ReadOptions & { generation: number; bounds: MachineBounds },
): Generator<readonly [Uint8Array, Uint8Array]> {
  const range = keys.machineRange(generation, bounds);
  const entries = environment.getRange(transaction === undefined ? range : { ...range, transaction });
  for (const { key, value } of entries) yield [machineKeyOf(key), plain(value)];
}

/**
 * The machine's data as they are now: a read transaction of LMDB, which keeps its pages as long as it is open.
 * Which data they are is read in that transaction too: a commit may have come meanwhile.
 */
export function freezeMachine(tables: LmdbTables): FrozenMachine {
  const { environment } = tables;
  environment.resetReadTxn(); // From what is committed now;
  const transaction = environment.useReadTransaction();
  environment.resetReadTxn(); // and reads of others go on with one of their own.
  try {
    const state = tables.machineState({ transaction });
    const { generation } = state;
    return {
      state,
      entriesFrom: (from) => machineEntries(tables, { generation, bounds: { from }, transaction }),
      close: () => transaction.done(),
    };
  } catch (error) {
    transaction.done();
    throw error;
  }
}

/** The same bytes as a plain array: a Buffer's `slice` would share them, and its `toString` differ. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
