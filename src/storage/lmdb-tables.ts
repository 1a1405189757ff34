import { crc32 } from 'node:zlib';
import type { RootDatabase, Transaction } from 'lmdb';
import {
  type DecodedBatch,
  decodeBatch,
  type EntryBatch,
  type GroupId,
  type Index,
  lastOf,
} from '../core/index.ts';
import { damaged } from './damage.ts';
import { emptyMachine, type MachineState } from './machine-overlay.ts';
import { decodeRecord } from './record.ts';
import { GroupKeys, type IndexTable, indexOfKey, tables } from './store-keys.ts';

/** LMDB as this library opens it: keys and values are bytes. */
export type Environment = RootDatabase<Uint8Array, Uint8Array>;

/** Where to read: in a transaction of one's own, or in what is committed now. */
export interface ReadOptions {
  readonly transaction?: Transaction;
}

/** The names of a group's records. */
export const records = {
  founding: 'founding',
  hardState: 'hardState',
  logStart: 'logStart',
  machine: 'machine',
  stage: 'stage',
} as const;

/** The tables of one group in an environment. What can't be is `RAFT_STORE_DAMAGED`. */
export class LmdbTables {
  readonly keys: GroupKeys;
  readonly environment: Environment;
  readonly #group: GroupId;

  constructor(environment: Environment, group: GroupId) {
    this.environment = environment;
    this.#group = group;
    this.keys = new GroupKeys(group);
  }

  /** The value of a record. */
  record<T>(name: string, options?: ReadOptions): T | undefined {
    const bytes = this.environment.get(this.keys.record(name), options);
    return bytes === undefined ? undefined : this.decode<T>(bytes, `record ${name}`);
  }

  /** Which data of the state machine are in use. */
  machineState(options?: ReadOptions): MachineState {
    return this.record<MachineState>(records.machine, options) ?? emptyMachine;
  }

  /** The value of a row; `what` names it. */
  decode<T>(bytes: Uint8Array, what: string): T {
    const value = decodeRecord(bytes);
    if (value === undefined) throw damaged(`${this.name(what)} has a bad checksum`);
    return value as T;
  }

  /** A name of something in this group, for messages. */
  name(what: string): string {
    return `${what} of group ${this.#group} in the store`;
  }

  /** All rows of a table, in order. */
  rows<T>(table: IndexTable, read: (index: Index, value: Uint8Array) => T): readonly T[] {
    const rows: T[] = [];
    for (const { key, value } of this.environment.getRange(this.keys.from(table, 0)))
      rows.push(read(indexOfKey(key) as Index, value));
    return rows;
  }

  /** The batch with the highest first index not above `index`. */
  batchAtOrBefore(index: number): EntryBatch | undefined {
    const range = { ...this.keys.downFrom(tables.log, index), reverse: true, limit: 1 };
    for (const { key, value } of this.environment.getRange(range)) return this.#batchOf(key, value);
    return undefined;
  }

  #batchOf(key: Uint8Array, value: Uint8Array): EntryBatch {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const decoded: DecodedBatch = decodeBatch(bytes, 0, crc32);
    const index = indexOfKey(key);
    if (decoded.type === 'error') throw damaged(this.name(`the batch at index ${index} is ${decoded.kind},`));
    const { batch, end } = decoded;
    if (batch.index === index && batch.group === this.#group && end === bytes.byteLength) return batch;
    throw damaged(this.name(`the batch at index ${index} says it is at ${batch.index} of ${batch.group},`));
  }

  /** Batches from the one that holds `from`, in order; a gap between them is damage. */
  *batchesFrom(from: Index): Generator<EntryBatch> {
    const first = this.batchAtOrBefore(from);
    if (first === undefined || lastOf(first) < from)
      throw damaged(this.name(`the batch of index ${from} is gone,`));
    yield first;
    let next = lastOf(first) + 1;
    for (const { key, value } of this.environment.getRange(this.keys.from(tables.log, next))) {
      const batch = this.#batchOf(key, value);
      if (batch.index !== next) throw damaged(this.name(`the batch at index ${next} is gone,`));
      yield batch;
      next = lastOf(batch) + 1;
    }
  }

  /** Whether a batch begins at this index. */
  isBatchStart(index: Index): boolean {
    return this.environment.doesExist(this.keys.at(tables.log, index));
  }
}
