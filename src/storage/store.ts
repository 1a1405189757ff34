import { type EntryBatch, emptyLog, type Index, type LogIndex, type PersistReq } from '../core/index.ts';
import { StorageError } from './errors.ts';
import { takeBatches } from './log-reads.ts';
import { mergeRequests } from './log-writes.ts';
import { MachineOverlay } from './machine-overlay.ts';
import type { Medium, Opened, Transaction } from './medium.ts';
import type { Founding, Loaded, MachineStore, Persisted, Storage } from './storage.ts';

/**
 * A {@link Storage} on a medium. It keeps the rules: one write at a time, batches that follow each other
 * (rule 14), and nothing after a write that failed.
 */
export class Store implements Storage {
  readonly #medium: Medium;
  readonly #overlay: MachineOverlay;
  #status: 'closed' | 'open' | StorageError = 'closed';
  #log: LogIndex = emptyLog;
  #founding: Founding | null = null;
  #writing: Promise<void> | null = null;

  constructor(medium: Medium) {
    this.#medium = medium;
    this.#overlay = new MachineOverlay(medium.machine);
  }

  get machineStore(): MachineStore {
    return this.#overlay;
  }

  async open(): Promise<Loaded> {
    if (this.#status !== 'closed') throw this.#inUse();
    const { appliedIndex, ...loaded } = await this.#openMedium();
    this.#status = 'open';
    this.#log = loaded.log;
    this.#founding = loaded.founding;
    this.#overlay.restore(appliedIndex);
    return loaded;
  }

  async #openMedium(): Promise<Opened> {
    try {
      return await this.#medium.open();
    } catch (cause) {
      throw cause instanceof StorageError ? cause : diskFailed(cause);
    }
  }

  async found(founding: Founding): Promise<void> {
    this.#checkOpen();
    if (this.#founding !== null) throw foundedAlready(this.#founding, founding);
    this.#founding = founding;
    await this.#write({ founding });
  }

  async persist(requests: readonly PersistReq[]): Promise<Persisted> {
    this.#checkOpen();
    const log = this.#merge(requests);
    if (requests.length > 0 || this.#overlay.isDirty) {
      const machine = this.#overlay.beginFlush();
      await this.#write({ log, machine });
      this.#overlay.endFlush();
      this.#log = log.log;
    }
    return { seq: log.seq, durableAppliedIndex: this.#overlay.durableIndex };
  }

  #merge(requests: readonly PersistReq[]) {
    try {
      return mergeRequests(requests, {
        log: this.#log,
        isBatchStart: (index) => this.#medium.isBatchStart(index),
      });
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async #write(transaction: Transaction): Promise<void> {
    if (this.#writing !== null) throw this.#fail(new Error('a write began while another was under way'));
    this.#writing = this.#medium.write(transaction);
    try {
      await this.#writing;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#writing = null;
    }
  }

  async readLog({
    from,
    maxBytes,
  }: {
    readonly from: Index;
    readonly maxBytes: number;
  }): Promise<readonly EntryBatch[] | 'compacted'> {
    this.#checkOpen();
    if (from <= this.#log.startIndex) return 'compacted';
    if (from > this.#log.lastIndex) return [];
    try {
      return takeBatches(this.#medium.batchesFrom(from), maxBytes);
    } catch (error) {
      throw this.#fail(error); // What was acknowledged can't be read: damage.
    }
  }

  async close(): Promise<void> {
    if (this.#status === 'closed') return;
    try {
      if (!this.#medium.isGone) await this.#settle();
    } finally {
      this.#status = 'closed';
      await this.#medium.close();
    }
  }

  /** Waits for the write that is under way, and flushes what the state machine has written since. */
  async #settle(): Promise<void> {
    await this.#writing?.catch(() => undefined); // Whoever began that write is told.
    if (this.#status === 'open' && this.#overlay.isDirty) await this.persist([]);
  }

  #checkOpen(): void {
    if (this.#status === 'open') return;
    throw this.#status === 'closed' ? notOpen() : failedBefore(this.#status);
  }

  /** From here on every call rejects: a disk that lost one write can't be trusted with the next. */
  #fail(cause: unknown): StorageError {
    const error = cause instanceof StorageError ? cause : diskFailed(cause);
    if (this.#status === 'open') this.#status = error;
    return error;
  }

  #inUse(): StorageError {
    return new StorageError(
      'RAFT_STORE_IN_USE',
      'this storage has been opened before and not closed since. Nothing was changed. Close it first.',
    );
  }
}

function diskFailed(cause: unknown): StorageError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageError(
    'RAFT_STORE_FAILED',
    `the disk failed: ${reason}. What was acknowledged before is safe, what was being written is not ` +
      'acknowledged, and the node must stop. See that the disk has room and is sound, then restart the node.',
    { cause },
  );
}

function failedBefore(failure: StorageError): StorageError {
  return new StorageError(
    'RAFT_STORE_FAILED',
    `this store failed before and takes nothing any more (${failure.message}) Restart the node.`,
    { cause: failure },
  );
}

function notOpen(): StorageError {
  return new StorageError(
    'RAFT_STORE_CLOSED',
    'the store is not open. Nothing was read or written. Await open() first, and use nothing after close().',
  );
}

function foundedAlready(held: Founding, offered: Founding): StorageError {
  return new StorageError(
    'RAFT_STORE_FOUNDED',
    `this store belongs to cluster ${held.clusterId} already and can't join ${offered.clusterId}. ` +
      'Nothing was changed. To join another cluster, start with a new store.',
  );
}
