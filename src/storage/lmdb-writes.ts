import { encodeBatch, type Index, index0, type TermStart } from '../core/index.ts';
import { type Environment, type LmdbTables, records } from './lmdb-tables.ts';
import type { LogWrites } from './log-writes.ts';
import type { MachineWrites } from './machine-overlay.ts';
import type { Transaction } from './medium.ts';
import { encodeRecord } from './record.ts';
import type { Founding } from './storage.ts';
import { tables } from './store-keys.ts';

/** One transaction. Resolves after its flushes; rejects with the disk's own error. */
export async function commit(environment: Environment, puts: () => void): Promise<void> {
  try {
    await environment.batch(puts);
  } catch (error) {
    throw await causeOf(error);
  }
}

/** LMDB says only "see commitError": a promise that rejects with the reason a moment later. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  return commitError === undefined ? error : commitError.catch((cause: unknown) => cause);
}

/** Carries out a transaction, within one of LMDB's. */
export function putTransaction(stored: LmdbTables, { founding, log, machine }: Transaction): void {
  if (founding !== undefined) putFounding(stored, founding);
  if (log !== undefined) putLog(stored, log);
  if (machine !== undefined) putMachine(stored, machine);
}

function putFounding({ environment, keys }: LmdbTables, founding: Founding): void {
  void environment.put(keys.record(records.founding), encodeRecord(founding));
  void environment.put(keys.at(tables.configurations, index0), encodeRecord(founding.configuration));
}

function putLog(stored: LmdbTables, { hardState, truncateFrom, batches, log }: LogWrites): void {
  const { environment, keys } = stored;
  if (hardState !== undefined) void environment.put(keys.record(records.hardState), encodeRecord(hardState));
  if (truncateFrom !== undefined) truncate(stored, truncateFrom);
  const first = batches[0];
  if (first === undefined) return;
  for (const batch of batches) void environment.put(keys.at(tables.log, batch.index), encodeBatch(batch));
  for (let at = log.terms.length - 1; at >= 0; at--) {
    const { index, term } = log.terms[at] as TermStart;
    if (index < first.index) break;
    void environment.put(keys.at(tables.terms, index), encodeRecord(term));
  }
}

function truncate(stored: LmdbTables, from: Index): void {
  for (const table of [tables.log, tables.terms, tables.configurations]) {
    for (const key of stored.keysFrom(table, from)) void stored.environment.remove(key);
  }
}

function putMachine({ environment, keys }: LmdbTables, { entries, appliedIndex }: MachineWrites): void {
  for (const [text, value] of entries) {
    const key = keys.machineText(text);
    void (value === null ? environment.remove(key) : environment.put(key, value));
  }
  if (appliedIndex !== null) void environment.put(keys.record(records.applied), encodeRecord(appliedIndex));
}
