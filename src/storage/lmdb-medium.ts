import { mkdir, open as openFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { open } from 'lmdb';
import {
  type EntryBatch,
  encodeBatch,
  type GroupId,
  type Index,
  index0,
  type NodeId,
  type StoreId,
  type TermStart,
} from '../core/index.ts';
import { damaged } from './damage.ts';
import { StorageError } from './errors.ts';
import { problemOfFile } from './lmdb-file.ts';
import { type Environment, LmdbTables, records } from './lmdb-tables.ts';
import type { LogWrites } from './log-writes.ts';
import type { MachineBase, MachineWrites } from './machine-overlay.ts';
import type { Medium, Opened, Transaction } from './medium.ts';
import { otherNode } from './other-node.ts';
import { type OwnerLock, takeOwnerLock } from './owner-lock.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import type { Founding } from './storage.ts';
import { newStoreId } from './store-id.ts';
import { machineKeyOf, storeKey, tables } from './store-keys.ts';

/** What this version writes. A store of a higher one is refused. */
const formatVersion = 1;
const formatKey = storeKey('format');
const identityKey = storeKey('store');

/** Address space, not memory or disk, to begin with; LMDB takes more by itself, at the cost of a new mapping. */
const mapBytes = 2 ** 30;

/** Whose store it is, and how often it was opened. */
interface Identity {
  readonly storeId: StoreId;
  readonly nodeId: NodeId | null;
  readonly bootCounter: number;
}

interface OpenFiles {
  readonly lock: OwnerLock;
  readonly environment: Environment;
  readonly tables: LmdbTables;
}

/** A store in a folder, on LMDB. */
export class LmdbMedium implements Medium {
  readonly isGone = false;
  readonly machine: MachineBase = {
    get: (key) => this.#machineGet(key),
    range: (bounds) => this.#machineRange(bounds),
  };
  readonly #path: string;
  readonly #nodeId: NodeId | null;
  readonly #group: GroupId;
  #files: OpenFiles | null = null;

  constructor({
    path,
    nodeId,
    group,
  }: {
    readonly path: string;
    readonly nodeId: NodeId | null;
    readonly group: GroupId;
  }) {
    this.#path = resolve(path);
    this.#nodeId = nodeId;
    this.#group = group;
  }

  async open(): Promise<Opened> {
    try {
      await mkdir(this.#path, { recursive: true });
      const lock = await takeOwnerLock(this.#path);
      try {
        return await this.#openEnvironment(lock);
      } catch (error) {
        await lock.release();
        throw error;
      }
    } catch (error) {
      throw error instanceof StorageError ? error : this.#cannotOpen(error);
    }
  }

  async #openEnvironment(lock: OwnerLock): Promise<Opened> {
    const file = join(this.#path, 'data.mdb');
    const problem = await problemOfFile(file);
    if (problem !== undefined) throw damaged(`${file} is damaged: ${problem}`);
    const environment = openEnvironment(this.#path);
    try {
      const files = { lock, environment, tables: new LmdbTables(environment, this.#group) };
      const opened = await this.#load(files);
      this.#files = files;
      return opened;
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  /** Reads and checks everything, and only then makes the first write, the boot counter. */
  async #load({ environment, tables }: OpenFiles): Promise<Opened> {
    const stored = readIdentity(environment, this.#path);
    const misfit = otherNode(stored?.nodeId ?? null, this.#nodeId);
    if (misfit !== undefined) throw misfit;
    const loaded = tables.load();
    const identity: Identity = {
      storeId: stored?.storeId ?? newStoreId(),
      nodeId: stored?.nodeId ?? this.#nodeId,
      bootCounter: (stored?.bootCounter ?? 0) + 1,
    };
    await commit(environment, () => {
      void environment.put(formatKey, encodeRecord(formatVersion));
      void environment.put(identityKey, encodeRecord(identity));
    });
    if (stored === undefined) await flushNames(this.#path);
    return { ...loaded, storeId: identity.storeId, bootCounter: identity.bootCounter };
  }

  async write({ founding, log, machine }: Transaction): Promise<void> {
    const files = this.#opened();
    await commit(files.environment, () => {
      if (founding !== undefined) putFounding(files, founding);
      if (log !== undefined) putLog(files, log);
      if (machine !== undefined) putMachine(files, machine);
    });
    files.environment.resetReadTxn(); // So that the next read sees what was committed.
  }

  isBatchStart(index: Index): boolean {
    return this.#opened().tables.isBatchStart(index);
  }

  batchesFrom(from: Index): Iterable<EntryBatch> {
    return this.#opened().tables.batchesFrom(from);
  }

  #machineGet(key: Uint8Array): Uint8Array | undefined {
    const { environment, tables } = this.#opened();
    const value = environment.getBinary(tables.keys.machine(key));
    return value === undefined ? undefined : plain(value);
  }

  *#machineRange(bounds: {
    readonly from?: Uint8Array | undefined;
    readonly to?: Uint8Array | undefined;
  }): Generator<readonly [Uint8Array, Uint8Array]> {
    const { environment, tables } = this.#opened();
    for (const { key, value } of environment.getRange(tables.keys.machineRange(bounds))) {
      yield [machineKeyOf(key), plain(value)];
    }
  }

  async close(): Promise<void> {
    const files = this.#files;
    if (files === null) return;
    this.#files = null;
    try {
      await files.environment.close();
    } finally {
      await files.lock.release();
    }
  }

  /** LMDB reads freed memory when a closed environment is read; this says so instead. */
  #opened(): OpenFiles {
    if (this.#files !== null) return this.#files;
    throw new StorageError(
      'RAFT_STORE_CLOSED',
      `the store at ${this.#path} is not open. Nothing was read or written. Await open() first, and use ` +
        'nothing of it after close().',
    );
  }

  #cannotOpen(cause: unknown): StorageError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StorageError(
      'RAFT_STORE_FAILED',
      `the store at ${this.#path} can't be opened: ${reason}. Nothing was changed that the node had ` +
        'acknowledged. See that the folder can be written and the disk has room, then start the node again.',
      { cause },
    );
  }
}

/**
 * `overlappingSync` off: with it, LMDB resolves before the flush, and a write that fails stays visible. No
 * write is synchronous: that would block the event loop for the length of a flush, 0.3 ms and more.
 */
function openEnvironment(path: string): Environment {
  return open<Uint8Array, Uint8Array>({
    path,
    noSubdir: false, // LMDB takes a path with a dot in it for a file.
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    maxDbs: 1,
    mapSize: mapBytes,
  });
}

function readIdentity(environment: Environment, path: string): Identity | undefined {
  const format = environment.getBinary(formatKey);
  if (format === undefined) {
    for (const _ of environment.getKeys({ limit: 1 })) {
      throw damaged(`${join(path, 'data.mdb')} has keys and no record format: another program made it`);
    }
    return undefined;
  }
  const version = decodeRecord(format);
  if (typeof version !== 'number') throw damaged(`record format in ${path} has a bad checksum`);
  if (version > formatVersion) {
    throw new StorageError(
      'RAFT_STORE_NEWER',
      `the store at ${path} has format ${version}, and this version of rxraft reads up to ${formatVersion}. ` +
        'Nothing was changed, and the data are safe. Start the newer version that wrote it.',
    );
  }
  const bytes = environment.getBinary(identityKey);
  const identity = bytes === undefined ? undefined : decodeRecord(bytes);
  if (identity === undefined) throw damaged(`record store in ${path} is gone or has a bad checksum`);
  return identity as Identity;
}

/** One transaction. Resolves after its flushes; rejects with the disk's own error. */
async function commit(environment: Environment, puts: () => void): Promise<void> {
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

function putFounding({ environment, tables: { keys } }: OpenFiles, founding: Founding): void {
  void environment.put(keys.record(records.founding), encodeRecord(founding));
  void environment.put(keys.at(tables.configurations, index0), encodeRecord(founding.configuration));
}

function putLog(files: OpenFiles, { hardState, truncateFrom, batches, log }: LogWrites): void {
  const { environment, tables: stored } = files;
  if (hardState !== undefined)
    void environment.put(stored.keys.record(records.hardState), encodeRecord(hardState));
  if (truncateFrom !== undefined) truncate(files, truncateFrom);
  const first = batches[0];
  if (first === undefined) return;
  for (const batch of batches)
    void environment.put(stored.keys.at(tables.log, batch.index), encodeBatch(batch));
  for (let at = log.terms.length - 1; at >= 0; at--) {
    const { index, term } = log.terms[at] as TermStart;
    if (index < first.index) break;
    void environment.put(stored.keys.at(tables.terms, index), encodeRecord(term));
  }
}

function truncate({ environment, tables: stored }: OpenFiles, from: Index): void {
  for (const table of [tables.log, tables.terms, tables.configurations]) {
    for (const key of stored.keysFrom(table, from)) void environment.remove(key);
  }
}

function putMachine(
  { environment, tables: { keys } }: OpenFiles,
  { entries, appliedIndex }: MachineWrites,
): void {
  for (const [text, value] of entries) {
    const key = keys.machineText(text);
    void (value === null ? environment.remove(key) : environment.put(key, value));
  }
  if (appliedIndex !== null) void environment.put(keys.record(records.applied), encodeRecord(appliedIndex));
}

/** Makes the names of new files survive a power cut: LMDB flushes files, not the folder. */
async function flushNames(path: string): Promise<void> {
  for (const folder of [path, dirname(path)]) {
    const handle = await openFile(folder, 'r').catch(() => null); // Not every system opens a folder.
    await handle?.sync().catch(() => undefined);
    await handle?.close();
  }
}

/** The same bytes as a plain array: a Buffer's `slice` would share them, and its `toString` differ. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
