import { dirname, join, resolve } from 'node:path';
import { open } from 'lmdb';
import { type EntryBatch, encodedBytesOf, type GroupId, type Index, type NodeId } from '../core/index.ts';
import { damaged } from './damage.ts';
import { DiskGuard } from './disk-guard.ts';
import { StorageError } from './errors.ts';
import { readError } from './lmdb-errors.ts';
import { problemOfFile } from './lmdb-file.ts';
import { loadTables } from './lmdb-load.ts';
import { freezeMachine, machineEntries, plain } from './lmdb-machine.ts';
import { keysToSweep } from './lmdb-sweep.ts';
import { type Environment, LmdbTables } from './lmdb-tables.ts';
import { putTransaction } from './lmdb-writes.ts';
import type { MachineBase } from './machine-overlay.ts';
import type { FrozenMachine, Kept, Medium, Opened, Transaction } from './medium.ts';
import { otherNode } from './other-node.ts';
import { type OwnerLock, takeOwnerLock } from './owner-lock.ts';
import { Scratch } from './scratch.ts';
import { diskFailed } from './store-errors.ts';
import { flushFolder, prepareFolder } from './store-folder.ts';
import { newStoreId } from './store-id.ts';
import { type Identity, putIdentity, readIdentity } from './store-identity.ts';
import type { MachineBounds } from './store-keys.ts';

/** Address space, not memory or disk, to begin with; LMDB takes more by itself, at the cost of a new mapping. */
const mapBytes = 2 ** 30;

/** What is held while the store is open. */
interface OpenFiles {
  readonly lock: OwnerLock;
  readonly guard: DiskGuard;
  readonly tables: LmdbTables;
  /** Memory for batches on their way to the disk. */
  readonly scratch: Scratch;
}

/** A store in a folder, on LMDB. */
export class LmdbMedium implements Medium {
  readonly isGone = false;
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
      await prepareFolder(this.#path);
      const guard = new DiskGuard(this.#path);
      await guard.beforeOpening();
      const lock = await takeOwnerLock(this.#path);
      try {
        return await this.#openEnvironment({ lock, guard });
      } catch (error) {
        await lock.release();
        throw error;
      }
    } catch (error) {
      const problem = readError(error, this.#dataFile);
      throw problem instanceof StorageError ? problem : this.#cannotOpen(problem);
    }
  }

  async #openEnvironment(held: { lock: OwnerLock; guard: DiskGuard }): Promise<Opened> {
    const problem = await problemOfFile(this.#dataFile);
    if (problem !== undefined) throw damaged(`${this.#dataFile} is damaged: ${problem}`);
    const environment = openEnvironment(this.#path);
    try {
      const tables = new LmdbTables(environment, this.#group);
      const files = { ...held, tables, scratch: new Scratch() };
      const opened = await this.#load(files);
      this.#files = files;
      return opened;
    } catch (error) {
      await environment.close();
      throw error;
    }
  }

  /** Reads and checks everything, and only then makes the first write, the boot counter. */
  async #load({ guard, tables }: OpenFiles): Promise<Opened> {
    const { environment } = tables;
    const stored = readIdentity(environment, this.#path);
    const misfit = otherNode(stored?.nodeId ?? null, this.#nodeId);
    if (misfit !== undefined) throw misfit;
    const loaded = loadTables(tables);
    const identity: Identity = {
      storeId: stored?.storeId ?? newStoreId(),
      nodeId: stored?.nodeId ?? this.#nodeId,
      bootCounter: (stored?.bootCounter ?? 0) + 1,
    };
    await guard.commit(environment, { put: () => putIdentity(environment, identity), bytes: 0 });
    for (const folder of [this.#path, dirname(this.#path)]) await flushFolder(folder); // New names, or a killed process's.
    return { ...loaded, storeId: identity.storeId, bootCounter: identity.bootCounter };
  }

  async write(transaction: Transaction): Promise<void> {
    const { guard, tables, scratch } = this.#opened();
    const stranger = transaction.log?.batches.find((batch) => batch.group !== this.#group);
    if (stranger !== undefined) {
      throw new Error(`a batch of group ${stranger.group} was given to the store of group ${this.#group}`);
    }
    const logBytes = encodedBytesOf(transaction.log?.batches ?? []);
    const lent = scratch.lend(logBytes);
    const put = () => putTransaction(tables, transaction, lent.allocate);
    await guard.commit(tables.environment, { put, bytes: logBytes + restBytesOf(transaction) });
    lent.giveBack(); // After an error LMDB may still read it, and the store writes no more.
    tables.environment.resetReadTxn(); // So that the next read sees what was committed.
  }

  isBatchStart(index: Index): boolean {
    return this.#opened().tables.isBatchStart(index);
  }

  *batchesFrom(from: Index): Generator<EntryBatch> {
    try {
      yield* this.#opened().tables.batchesFrom(from);
    } catch (error) {
      throw readError(error, this.#dataFile);
    }
  }

  machineOf(generation: number): MachineBase {
    return {
      get: (key) => this.#machineValue(generation, key),
      range: (bounds) => this.#machineEntries(generation, bounds),
    };
  }

  #machineValue(generation: number, key: Uint8Array): Uint8Array | undefined {
    const { environment, keys } = this.#opened().tables;
    try {
      const value = environment.getBinary(keys.machine(generation, key));
      return value === undefined ? undefined : plain(value);
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  *#machineEntries(generation: number, bounds: MachineBounds): ReturnType<typeof machineEntries> {
    const { tables } = this.#opened();
    try {
      yield* machineEntries(tables, { generation, bounds });
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** LMDB reads nothing any more once a commit of it has failed badly: that is an error of the disk, not of the machine. */
  #unreadable(error: unknown): StorageError {
    const problem = readError(error, this.#dataFile);
    return problem instanceof StorageError ? problem : diskFailed(problem);
  }

  freezeMachine(): FrozenMachine {
    return freezeMachine(this.#opened().tables);
  }

  async sweep(kept: Kept): Promise<boolean> {
    const { guard, tables } = this.#opened();
    const swept = keysToSweep(tables, kept);
    if (swept.length === 0) return false;
    const put = () => {
      for (const key of swept) void tables.environment.remove(key);
    };
    await guard.commit(tables.environment, { put, bytes: 0 });
    tables.environment.resetReadTxn();
    return true;
  }

  async close(): Promise<void> {
    const files = this.#files;
    if (files === null) return;
    this.#files = null;
    try {
      await files.tables.environment.close();
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

  get #dataFile(): string {
    return join(this.#path, 'data.mdb');
  }

  #cannotOpen(cause: unknown): StorageError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new StorageError(
      'RAFT_STORE_FAILED',
      `the store at ${this.#path} can't be opened: ${reason}. Nothing was changed that the node had ` +
        'acknowledged. See that this process can read and write the folder and every file in it, then start the ' +
        'node again.',
      { cause },
    );
  }
}

/**
 * `overlappingSync` off: with it, LMDB resolves before the flush, and a write that fails stays visible. No
 * write is synchronous: that would block the event loop for the length of a flush, 0.3 ms and more.
 */
function openEnvironment(path: string): Environment {
  const environment = open<Uint8Array, Uint8Array>({
    path,
    noSubdir: false, // LMDB takes a path with a dot in it for a file.
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
    maxDbs: 1,
    mapSize: mapBytes,
  });
  // When a commit fails, LMDB also rejects a promise of its own, for the event-loop turn. It makes it right after
  // this event and hands it to nobody: unhandled, it would end the process.
  environment.on('beforecommit', () => queueMicrotask(() => void environment.committed.then(ignore, ignore)));
  return environment;
}

function ignore(): void {}

/** What a transaction writes beside the log. */
function restBytesOf({ machine, stage }: Transaction): number {
  let bytes = machine?.bytes ?? 0;
  for (const [key, value] of stage?.entries ?? []) bytes += key.byteLength + value.byteLength;
  return bytes;
}
