import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase, type Transaction } from 'lmdb';
import { StorageError } from './errors.ts';
import { problemOfFile } from './lmdb-file.ts';

/** MDB_READERS_FULL. */
const readersFull = -30790;

/** Folders that this process holds: LMDB's locks hold between processes, not within one. */
const held = new Set<string>();

/**
 * The right of one process to use a folder, until it is released or the process ends, however it ends.
 *
 * LMDB lets several processes open one environment, and Node has no file locks. So this is a second, empty
 * environment with room for a single reader, whose place the owner takes. A place belongs to a process by a
 * lock of the kernel on `owner.mdb-lock`: a SIGKILL frees it, nothing is left to clean up, and process ids
 * that are used again, or are the same in two containers, confuse nobody (docs/decisions/0019).
 */
export interface OwnerLock {
  release(): Promise<void>;
}

/** Takes the lock on a folder that exists. Rejects with `RAFT_STORE_IN_USE` if another has it. */
export async function takeOwnerLock(path: string): Promise<OwnerLock> {
  const folder = await realpath(path);
  if (held.has(folder)) throw inUse(folder, 'this process');
  held.add(folder);
  try {
    return await takePlace(folder);
  } catch (error) {
    held.delete(folder);
    throw error;
  }
}

async function takePlace(folder: string): Promise<OwnerLock> {
  const path = join(folder, 'owner.mdb');
  const problem = await problemOfFile(path); // LMDB would end the process with a segmentation fault.
  if (problem !== undefined) throw cannotOpen(path, problem);
  const environment = openOwner(path);
  try {
    return holding(folder, environment, environment.useReadTransaction());
  } catch (error) {
    const owner = ownerOf(environment);
    await environment.close();
    throw (error as { code?: unknown }).code === readersFull ? inUse(folder, owner) : error;
  }
}

function openOwner(path: string): RootDatabase {
  try {
    return open({
      path,
      noSubdir: true,
      maxReaders: 1,
      maxDbs: 1,
      mapSize: 0x10000,
      overlappingSync: false,
    });
  } catch (cause) {
    throw cannotOpen(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function cannotOpen(path: string, reason: string, cause?: unknown): StorageError {
  return new StorageError(
    'RAFT_STORE_FAILED',
    `${path} can't be opened: ${reason}. It keeps two nodes from sharing a store and holds no data; those are ` +
      'untouched. See that the folder can be written. If the file is damaged: make sure that no process uses ' +
      `this store, then delete it and ${path}-lock.`,
    { cause },
  );
}

function holding(folder: string, environment: RootDatabase, place: Transaction): OwnerLock {
  return {
    async release() {
      place.done();
      await environment.close();
      held.delete(folder);
    },
  };
}

/** The first line of LMDB's list is its head; then each line begins with a process id. */
function ownerOf(environment: RootDatabase): string {
  const [, line] = (environment as unknown as { readerList(): string }).readerList().split('\n');
  const pid = /\d+/.exec(line ?? '')?.[0];
  return pid === undefined ? 'another process' : `process ${pid}`;
}

function inUse(path: string, owner: string): StorageError {
  return new StorageError(
    'RAFT_STORE_IN_USE',
    `${owner} has the store at ${path} open, and two nodes must not share one. Nothing was changed. Stop the ` +
      'other one, or give this node a path of its own.',
  );
}
