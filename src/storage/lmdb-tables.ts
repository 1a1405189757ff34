import { crc32 } from 'node:zlib';
import type { RootDatabase } from 'lmdb';
import {
  type Configuration,
  type ConfigurationAt,
  type DecodedBatch,
  decodeBatch,
  type EntryBatch,
  type GroupId,
  type HardState,
  type Index,
  type LogIndex,
  lastOf,
  type Term,
  type TermStart,
  term0,
} from '../core/index.ts';
import { damaged, gapProblem } from './damage.ts';
import { decodeRecord } from './record.ts';
import type { Founding } from './storage.ts';
import { GroupKeys, type IndexTable, indexOfKey, tables } from './store-keys.ts';

/** LMDB as this library opens it: keys and values are bytes. */
export type Environment = RootDatabase<Uint8Array, Uint8Array>;

/** The names of a group's records. */
export const records = { founding: 'founding', hardState: 'hardState', applied: 'applied' } as const;

/** What a store holds of one group, its log's batches and its machine's data aside. */
export interface GroupTables {
  readonly founding: Founding | null;
  readonly hardState: HardState;
  readonly log: LogIndex;
  readonly configurations: readonly ConfigurationAt[];
  readonly appliedIndex: Index;
}

/** The tables of one group in an environment, read and checked. What can't be is `RAFT_STORE_DAMAGED`. */
export class LmdbTables {
  readonly keys: GroupKeys;
  readonly environment: Environment;
  readonly #group: GroupId;

  constructor(environment: Environment, group: GroupId) {
    this.environment = environment;
    this.#group = group;
    this.keys = new GroupKeys(group);
  }

  /** Everything a node starts from. Reads the small tables and the last batch, never the log. */
  load(): GroupTables {
    const founding = this.#record<Founding>(records.founding) ?? null;
    const hardState = this.#record<HardState>(records.hardState) ?? { currentTerm: term0, votedFor: null };
    const appliedIndex = this.#record<Index>(records.applied) ?? (0 as Index);
    const log = this.#loadLog();
    const configurations = this.#loadConfigurations();
    this.#checkTogether({ founding, hardState, log, configurations, appliedIndex });
    return { founding, hardState, log, configurations, appliedIndex };
  }

  #record<T>(name: string): T | undefined {
    const bytes = this.environment.getBinary(this.keys.record(name));
    if (bytes === undefined) return undefined;
    return this.#decode<T>(bytes, `record ${name}`);
  }

  #decode<T>(bytes: Uint8Array, what: string): T {
    const value = decodeRecord(bytes);
    if (value === undefined) throw damaged(`${this.#name(what)} has a bad checksum`);
    return value as T;
  }

  #name(what: string): string {
    return `${what} of group ${this.#group} in the store`;
  }

  #loadLog(): LogIndex {
    const terms = this.#rows<Term>(tables.terms, 'term').map(
      ({ index, value }): TermStart => ({ index, term: value }),
    );
    const last = this.#batchAtOrBefore(Number.MAX_SAFE_INTEGER);
    const base = { startIndex: 0 as Index, startTerm: term0 };
    if (last === undefined && terms.length === 0)
      return { ...base, lastIndex: 0 as Index, terms, lastLogTimeMs: 0 };
    const firstTerm = terms[0]?.index;
    const firstBatch = this.#firstKey(tables.log);
    if (firstTerm !== 1 || firstBatch !== 1) {
      throw damaged(
        this.#name(
          `gap: the term table begins at index ${firstTerm} and the log at ${firstBatch}, not at 1,`,
        ),
      );
    }
    const lastTerm = terms.at(-1) as TermStart;
    const isTogether =
      last !== undefined &&
      last.term === lastTerm.term &&
      last.index >= lastTerm.index &&
      areAscending(terms);
    if (!isTogether) {
      throw damaged(
        this.#name(
          `gap: the term table ends with term ${lastTerm.term} from index ${lastTerm.index} on, and the log ` +
            `with a batch of term ${last?.term} at index ${last?.index},`,
        ),
      );
    }
    return { ...base, lastIndex: lastOf(last), terms, lastLogTimeMs: last.logTimeMs };
  }

  #loadConfigurations(): readonly ConfigurationAt[] {
    return this.#rows<Configuration>(tables.configurations, 'configuration').map(({ index, value }) => ({
      index,
      configuration: value,
    }));
  }

  #rows<T>(table: IndexTable, name: string): readonly { readonly index: Index; readonly value: T }[] {
    const rows: { index: Index; value: T }[] = [];
    for (const { key, value } of this.environment.getRange(this.keys.from(table, 0))) {
      const index = indexOfKey(key) as Index;
      rows.push({ index, value: this.#decode<T>(value, `${name} at index ${index}`) });
    }
    return rows;
  }

  /** What the tables say about each other. */
  #checkTogether({ founding, hardState, log, configurations, appliedIndex }: GroupTables): void {
    const lastTerm = log.terms.at(-1)?.term ?? 0;
    if (lastTerm > hardState.currentTerm) {
      const terms = `the log has term ${lastTerm} and record hardState term ${hardState.currentTerm}`;
      throw damaged(this.#name(`gap: ${terms}`));
    }
    const isFounded = founding !== null;
    const first = configurations[0];
    const lastConfiguration = configurations.at(-1)?.index ?? 0;
    const isTogether = isFounded === (first !== undefined) && lastConfiguration <= log.lastIndex;
    const gap = gapProblem(appliedIndex, log);
    if (gap !== undefined) throw gap;
    if (isTogether) return;
    throw damaged(
      this.#name(
        `gap: the configuration table reaches from index ${first?.index} to ${lastConfiguration}, the log to ` +
          `${log.lastIndex}, and there is ${isFounded ? 'a' : 'no'} record founding,`,
      ),
    );
  }

  #firstKey(table: IndexTable): number | undefined {
    for (const key of this.environment.getKeys({ ...this.keys.from(table, 0), limit: 1 }))
      return indexOfKey(key);
    return undefined;
  }

  /** The batch with the highest first index not above `index`. */
  #batchAtOrBefore(index: number): EntryBatch | undefined {
    const range = { ...this.keys.downFrom(tables.log, index), reverse: true, limit: 1 };
    for (const { key, value } of this.environment.getRange(range)) return this.#batchOf(key, value);
    return undefined;
  }

  #batchOf(key: Uint8Array, value: Uint8Array): EntryBatch {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    const decoded: DecodedBatch = decodeBatch(bytes, 0, crc32);
    const index = indexOfKey(key);
    if (decoded.type === 'error')
      throw damaged(this.#name(`the batch at index ${index} is ${decoded.kind},`));
    const { batch, end } = decoded;
    if (batch.index === index && batch.group === this.#group && end === bytes.byteLength) return batch;
    throw damaged(this.#name(`the batch at index ${index} says it is at ${batch.index} of ${batch.group},`));
  }

  /** Batches from the one that holds `from`, in order; a gap between them is damage. */
  *batchesFrom(from: Index): Generator<EntryBatch> {
    const first = this.#batchAtOrBefore(from);
    if (first === undefined || lastOf(first) < from)
      throw damaged(this.#name(`the batch of index ${from} is gone,`));
    yield first;
    let next = lastOf(first) + 1;
    for (const { key, value } of this.environment.getRange(this.keys.from(tables.log, next))) {
      const batch = this.#batchOf(key, value);
      if (batch.index !== next) throw damaged(this.#name(`the batch at index ${next} is gone,`));
      yield batch;
      next = lastOf(batch) + 1;
    }
  }

  /** Whether a batch begins at this index. */
  isBatchStart(index: Index): boolean {
    return this.environment.doesExist(this.keys.at(tables.log, index));
  }

  /** The keys of a table from an index on: what a truncation deletes. */
  keysFrom(table: IndexTable, from: Index): readonly Uint8Array[] {
    return [...this.environment.getKeys(this.keys.from(table, from))];
  }
}

function areAscending(terms: readonly TermStart[]): boolean {
  return terms.every(({ term }, at) => at === 0 || term > (terms[at - 1] as TermStart).term);
}
