import { StorageError } from './errors.ts';
import type { Founding } from './storage.ts';

/** The disk refused to read or write. */
export function diskFailed(cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(
    'RAFT_STORE_FAILED',
    `the disk refused to read or write: ${reason}. Nothing acknowledged is lost, and what was being written is ` +
      'not acknowledged. See that the disk is sound and has room, then start the node again.',
    { cause },
  );
}

/** The disk takes no more; `code` is the system's. */
export function noRoom(path: string, code: string): StorageError {
  const [reason, remedy] = lacks[code] ?? ['the disk takes no more', 'Make room'];
  return new StorageError(
    'RAFT_STORE_FAILED',
    `there is no room for the store at ${path}: ${reason} (${code}). Nothing acknowledged is lost, and what ` +
      `was being written is not acknowledged. ${remedy}, take nothing out of that folder, and start the node again.`,
  );
}

/** What is lacking by the system's code, and what to do. */
const lacks: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ['the disk is full, or nearly', 'Make room on that disk'],
  EDQUOT: ['the quota of this user on that disk is used up', 'Raise the quota or make room'],
  EFBIG: ['a file would be longer than this process may make one', 'Raise that limit (ulimit -f)'],
};

/** The folder of a store can't be had. */
export function unusableFolder(path: string, cause: unknown): StorageError {
  return new StorageError(
    'RAFT_STORE_FAILED',
    `the folder ${path} can't be used for a store: ${reasonOf(cause)}. Nothing was changed. Give the store a ` +
      'folder that the user of this process can make, read and write.',
    { cause },
  );
}

/** Why the system refused a folder, in words, with its own code for whoever looks it up. */
function reasonOf(cause: unknown): string {
  const { code, message, path } = cause as NodeJS.ErrnoException;
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return `${path} is not a folder (${code})`;
    case 'EACCES':
    case 'EPERM':
      return `this process may not write there (${code})`;
    case 'EROFS':
      return `its file system is read-only (${code})`;
    default:
      return message;
  }
}

/** The store failed at something earlier. */
export function failedBefore(failure: StorageError): StorageError {
  return new StorageError(
    'RAFT_STORE_FAILED',
    `this store failed before and takes nothing any more (${failure.message}) Restart the node.`,
    { cause: failure },
  );
}

export function notOpen(): StorageError {
  return new StorageError(
    'RAFT_STORE_CLOSED',
    'the store is not open. Nothing was read or written. Await open() first, and use nothing after close().',
  );
}

export function endingNow(): StorageError {
  return new StorageError(
    'RAFT_STORE_CLOSED',
    'the store is being closed. Nothing was read or written for this call; what was asked for before goes on. Use ' +
      'nothing after close() or discard(), and open the store again to go on.',
  );
}

export function openAlready(): StorageError {
  return new StorageError(
    'RAFT_STORE_IN_USE',
    'this storage has been opened before and not closed since. Nothing was changed. Close it first.',
  );
}

export function stillClosing(): StorageError {
  return new StorageError(
    'RAFT_STORE_IN_USE',
    'this storage is being closed. Nothing was changed. Await close() or discard() before it is opened again.',
  );
}

export function foundedAlready(held: Founding, offered: Founding): StorageError {
  return new StorageError(
    'RAFT_STORE_FOUNDED',
    `this store belongs to cluster ${held.clusterId} already and can't join ${offered.clusterId}. ` +
      'Nothing was changed. To join another cluster, start with a new store.',
  );
}
