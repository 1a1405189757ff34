import type { ConfigurationAt } from '../core/index.ts';
import { encodeBatch, encodeConfiguration, type Index, index0, type TermStart } from '../core/index.ts';
import { type LmdbTables, records } from './lmdb-tables.ts';
import type { LogWrites } from './log-writes.ts';
import type { MachineWrites } from './machine-overlay.ts';
import type { StageWrites, Transaction } from './medium.ts';
import { encodeRecord, withChecksum } from './record.ts';
import type { Founding } from './storage.ts';
import { tables } from './store-keys.ts';

/** The disk's own error. LMDB says only "see commitError": a promise that rejects with the reason a moment later. */
export async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  return commitError === undefined ? error : commitError.catch((cause: unknown) => cause);
}

/**
 * Carries out a transaction, within one of LMDB's.
 *
 * @param allocate - gives memory for the bytes of batches that have to be made; they stay as they are until it has ended.
 */
export function putTransaction(
  stored: LmdbTables,
  { founding, log, machine, stage }: Transaction,
  allocate: (bytes: number) => Uint8Array,
): void {
  if (founding !== undefined) putFounding(stored, founding);
  if (log !== undefined) putLog(stored, log, allocate);
  if (machine !== undefined) putMachine(stored, machine);
  if (stage !== undefined) putStage(stored, stage);
}

function putFounding(stored: LmdbTables, founding: Founding): void {
  putRecord(stored, records.founding, founding);
  putConfiguration(stored, { index: index0, configuration: founding.configuration });
}

function putRecord({ environment, keys }: LmdbTables, name: string, value: unknown): void {
  void environment.put(keys.record(name), encodeRecord(value));
}

function putConfiguration(
  { environment, keys }: LmdbTables,
  { index, configuration }: ConfigurationAt,
): void {
  void environment.put(
    keys.at(tables.configurations, index),
    withChecksum(encodeConfiguration(configuration)),
  );
}

function putLog(stored: LmdbTables, writes: LogWrites, allocate: (bytes: number) => Uint8Array): void {
  const { environment, keys } = stored;
  const { hardState, truncateFrom, start, batches } = writes;
  if (hardState !== undefined) putRecord(stored, records.hardState, hardState);
  if (truncateFrom !== undefined) truncate(stored, truncateFrom);
  if (start !== undefined) putStart(stored, writes);
  const first = batches[0];
  if (first === undefined) return;
  for (const batch of batches)
    void environment.put(keys.at(tables.log, batch.index), encodeBatch(batch, allocate));
  putRowsFrom(stored, first.index, writes);
}

/** Deletes the end of the log: one value a batch, so that 100,000 entries are gone within milliseconds. */
function truncate({ environment, keys }: LmdbTables, from: Index): void {
  for (const table of [tables.log, tables.terms, tables.configurations]) {
    for (const key of [...environment.getKeys(keys.from(table, from))]) void environment.remove(key);
  }
}

/** Moves the start of the log. The batches before it are out of sight, and are swept away later. */
function putStart(stored: LmdbTables, { start, log, configurations }: LogWrites): void {
  const { environment, keys } = stored;
  putRecord(stored, records.logStart, start);
  for (const table of [tables.terms, tables.configurations]) {
    for (const key of [...environment.getKeys(keys.through(table, log.startIndex))])
      void environment.remove(key);
  }
  const firstTerm = log.terms[0];
  const inEffect = configurations[0];
  if (firstTerm !== undefined) putTerm(stored, firstTerm);
  if (inEffect !== undefined) putConfiguration(stored, inEffect);
}

function putTerm({ environment, keys }: LmdbTables, { index, term }: TermStart): void {
  void environment.put(keys.at(tables.terms, index), encodeRecord(term));
}

/** The rows of the small tables that batches bring with them. */
function putRowsFrom(stored: LmdbTables, from: Index, { log, configurations }: LogWrites): void {
  for (let at = log.terms.length - 1; at >= 0; at--) {
    const start = log.terms[at] as TermStart;
    if (start.index < from) break;
    putTerm(stored, start);
  }
  for (let at = configurations.length - 1; at >= 0; at--) {
    const configuration = configurations[at] as ConfigurationAt;
    if (configuration.index < from) break;
    putConfiguration(stored, configuration);
  }
}

function putMachine(stored: LmdbTables, { generation, entries, state }: MachineWrites): void {
  const { environment, keys } = stored;
  for (const [text, value] of entries) {
    const key = keys.machineText(generation, text);
    void (value === null ? environment.remove(key) : environment.put(key, value));
  }
  if (state !== null) putRecord(stored, records.machine, state);
}

function putStage(stored: LmdbTables, { state, entries }: StageWrites): void {
  const { environment, keys } = stored;
  if (state === null) {
    void environment.remove(keys.record(records.stage));
    return;
  }
  for (const [key, value] of entries) void environment.put(keys.machine(state.generation, key), value);
  putRecord(stored, records.stage, state);
}
