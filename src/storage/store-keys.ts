import { type GroupId, getUint53, type Index, setUint53 } from '../core/index.ts';
import type { KeyText } from './key-text.ts';

/**
 * The first byte of a key says which table it is in; `storeTable` is one for the whole store, the others are
 * apart for each group:
 *
 * | bytes | |
 * |---|---|
 * | `0x00`, name in ASCII | records of the store: `format`, `store` |
 * | `0x01`, group, name in ASCII | records of a group: `founding`, `hardState`, `logStart`, `machine`, `stage` |
 * | `0x02`, group, index | the log: a batch under the index of its first entry |
 * | `0x03`, group, index | the term table: a term under the index of its first entry |
 * | `0x04`, group, index | the configuration table: a configuration under the index of its entry |
 * | `0x05`, group, generation, key | the state machine's data |
 *
 * Group and generation are u32 and the index is a u64, all big-endian, so that byte order is log order.
 */
const storeTable = 0x00;

/** The tables of a group. */
export const tables = { records: 0x01, log: 0x02, terms: 0x03, configurations: 0x04, machine: 0x05 } as const;

/** A table that is ordered by index. */
export type IndexTable = (typeof tables)['log' | 'terms' | 'configurations'];

const prefixBytes = 5;
const indexKeyBytes = prefixBytes + 8;
const machinePrefixBytes = prefixBytes + 4;
const keyBytesMax = 1978;

/** The key of a record of the store. */
export function storeKey(name: string): Uint8Array {
  return Buffer.from(`${String.fromCharCode(storeTable)}${name}`, 'latin1');
}

/** Where the keys of an index table end. */
const indexEnd = 2 ** 53 - 1;

/** The keys of one group. */
export class GroupKeys {
  readonly #group: GroupId;
  readonly #indexKey = new Uint8Array(indexKeyBytes);
  readonly #indexView = new DataView(this.#indexKey.buffer);
  readonly #machineKey = Buffer.alloc(keyBytesMax);

  constructor(group: GroupId) {
    this.#group = group;
    this.#indexView.setUint32(1, group);
    this.#machineKey[0] = tables.machine;
    this.#machineKey.writeUInt32BE(group, 1);
  }

  /** The key of a record of the group. */
  record(name: string): Uint8Array {
    const key = Buffer.alloc(prefixBytes + name.length);
    key[0] = tables.records;
    key.writeUInt32BE(this.#group, 1);
    key.write(name, prefixBytes, 'latin1');
    return key;
  }

  /** The key of an index. Good until the next call: LMDB copies a key at once. */
  at(table: IndexTable, index: Index): Uint8Array {
    this.#indexKey[0] = table;
    setUint53(this.#indexView, prefixBytes, index);
    return this.#indexKey;
  }

  /** The bounds of an index table from `from` on. */
  from(table: IndexTable, from: number): KeyBounds {
    return { start: this.at(table, from as Index).slice(), end: this.at(table, indexEnd as Index).slice() };
  }

  /** The bounds of an index table through an index. */
  through(table: IndexTable, last: Index): KeyBounds {
    return { start: this.at(table, 0 as Index).slice(), end: this.at(table, (last + 1) as Index).slice() };
  }

  /** The bounds of an index table from `from` down. LMDB's end is exclusive, and no index is 0 in the log. */
  downFrom(table: IndexTable, from: number): KeyBounds {
    return { start: this.at(table, from as Index).slice(), end: this.at(table, 0 as Index).slice() };
  }

  /** The key of a state machine's key. Good until the next call. */
  machine(generation: number, key: Uint8Array): Uint8Array {
    this.#machineKey.writeUInt32BE(generation, prefixBytes);
    this.#machineKey.set(key, machinePrefixBytes);
    return this.#machineKey.subarray(0, machinePrefixBytes + key.byteLength);
  }

  /** As {@link GroupKeys.machine}, of a key that is held as a string. */
  machineText(generation: number, text: KeyText): Uint8Array {
    this.#machineKey.writeUInt32BE(generation, prefixBytes);
    this.#machineKey.write(text, machinePrefixBytes, 'latin1');
    return this.#machineKey.subarray(0, machinePrefixBytes + text.length);
  }

  /** The bounds of a generation of the state machine's data, or of a part. */
  machineRange(generation: number, { from, to }: MachineBounds = {}): KeyBounds {
    const start = Uint8Array.from(this.machine(generation, from ?? noKey));
    const end = to === undefined ? next(this.machine(generation, noKey)) : this.machine(generation, to);
    return { start, end: Uint8Array.from(end) };
  }

  /** The bounds of the state machine's data from a generation on. */
  generationsFrom(generation: number): KeyBounds {
    const start = Uint8Array.from(this.machine(generation, noKey));
    return { start, end: next(start.subarray(0, prefixBytes)) };
  }
}

/** Keys of a state machine from `from` (inclusive) to `to` (exclusive). */
export interface MachineBounds {
  readonly from?: Uint8Array | undefined;
  readonly to?: Uint8Array | undefined;
}

/** Keys from `start` (inclusive) to `end` (exclusive); backwards, `start` is the higher one. */
export interface KeyBounds {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

const noKey = new Uint8Array();

/** The first key that does not begin with a prefix. */
function next(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix);
  for (let at = end.length - 1; at >= 0; at--) {
    const byte = end[at] as number;
    end[at] = (byte + 1) & 0xff;
    if (byte < 0xff) break;
  }
  return end;
}

/** The index that a key of an index table ends with. */
export function indexOfKey(key: Uint8Array): number {
  return getUint53(new DataView(key.buffer, key.byteOffset + prefixBytes, 8), 0);
}

/** The state machine's part of a key, bytes of its own. */
export function machineKeyOf(key: Uint8Array): Uint8Array {
  const at = key.byteOffset + machinePrefixBytes;
  return new Uint8Array(key.buffer, at, key.byteLength - machinePrefixBytes);
}

/** The generation that a key of the state machine's data belongs to. */
export function generationOfKey(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset + prefixBytes, 4).getUint32(0);
}
