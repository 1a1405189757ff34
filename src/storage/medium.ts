import type { EntryBatch, Index } from '../core/index.ts';
import type { LogWrites } from './log-writes.ts';
import type { MachineBase, MachineWrites } from './machine-overlay.ts';
import type { Founding, Loaded } from './storage.ts';

/** What becomes durable together: all of it or nothing. */
export interface Transaction {
  readonly founding?: Founding;
  readonly log?: LogWrites;
  readonly machine?: MachineWrites;
}

/** What a medium holds when it is opened. */
export interface Opened extends Loaded {
  /** The state machine's data are durable through here. */
  readonly appliedIndex: Index;
}

/**
 * What a store is kept on: a folder with LMDB's file, or memory. It reads and writes; the rules of a store
 * (contiguity, one write at a time, no write after one that failed) are kept above it, once for all media.
 */
export interface Medium {
  /** Opens, and makes the boot counter durable. Rejects with a StorageError and holds nothing then. */
  open(): Promise<Opened>;
  /** Resolves once all of the transaction survives a power cut, and reads show it. One at a time. */
  write(transaction: Transaction): Promise<void>;
  /** Whether a stored batch begins at this index, within the log. */
  isBatchStart(index: Index): boolean;
  /** Stored batches from the one that holds `from`, in order. `from` is within the log. */
  batchesFrom(from: Index): Iterable<EntryBatch>;
  /** The flushed data of the state machine. */
  readonly machine: MachineBase;
  /** The process that had it open is gone (a simulated kill): nothing will settle any more. */
  readonly isGone: boolean;
  close(): Promise<void>;
}
