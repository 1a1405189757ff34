import type { EntryBatch, Index } from '../core/index.ts';
import type { KeyText } from './key-text.ts';
import type { LogWrites } from './log-writes.ts';
import type { MachineBase, MachineState, MachineWrites } from './machine-overlay.ts';
import type { Founding, Loaded } from './storage.ts';

/** What becomes durable together: all of it or nothing. */
export interface Transaction {
  readonly founding?: Founding;
  readonly log?: LogWrites;
  readonly machine?: MachineWrites;
  readonly stage?: StageWrites;
}

/**
 * A snapshot on its way in, as it is on disk: its data are a generation of the machine's beside the one in use.
 * The generation after it is the stage's, too: for the pieces of a value that is not whole yet.
 */
export interface StageState {
  readonly transferId: string;
  readonly generation: number;
  readonly nextChunk: number;
  /** The last key of the chunks so far; `''` before the first. */
  readonly lastKey: KeyText;
  /** How much there is of the value of `lastKey`; `null` if that is whole. */
  readonly unfinished: { readonly pieces: number; readonly bytes: number } | null;
  readonly isComplete: boolean;
}

/** What a transaction does to the stage. */
export interface StageWrites {
  /** What it is now; `null`: there is none any more. */
  readonly state: StageState | null;
  /** To add to its generation. */
  readonly entries: readonly (readonly [Uint8Array, Uint8Array])[];
}

/** What a medium holds when it is opened. */
export interface Opened extends Loaded {
  readonly machine: MachineState;
  readonly stage: StageState | null;
  /** The highest generation of which there are data, or that is in use. */
  readonly lastGeneration: number;
}

/** What a sweep leaves alone. */
export interface Kept {
  /** The log after this index. */
  readonly startIndex: Index;
  /** The generations in use. */
  readonly generations: readonly number[];
}

/** A generation of the machine's data at one moment. */
export interface FrozenMachine {
  readonly state: MachineState;
  /** In the order of the keys, from one on or from the first. */
  entriesFrom(key: Uint8Array | undefined): Iterable<readonly [Uint8Array, Uint8Array]>;
  close(): void;
}

/**
 * What a store is kept on: a folder with LMDB's file, or memory. It reads and writes; the rules of a store
 * (contiguity, one write at a time, no write after one that failed) are kept above it, once for all media.
 */
export interface Medium {
  /** Opens, and makes the boot counter durable. Rejects with a StorageError and holds nothing then. */
  open(): Promise<Opened>;
  /** Resolves once all of the transaction survives a power cut, and reads show it. In the order of the calls. */
  write(transaction: Transaction): Promise<void>;
  /** Whether a stored batch begins at this index, within the log. */
  isBatchStart(index: Index): boolean;
  /** Stored batches from the one that holds `from`, in order. `from` is within the log. */
  batchesFrom(from: Index): Iterable<EntryBatch>;
  /** The flushed data of a generation of the state machine. */
  machineOf(generation: number): MachineBase;
  /** The machine's data in use, as they are now, whatever is written later. To be closed before the medium. */
  freezeMachine(): FrozenMachine;
  /**
   * Deletes, in one transaction, some of what is not kept: batches up to the log's start, and generations that
   * are in use no more. `false` if there was nothing.
   */
  sweep(kept: Kept): Promise<boolean>;
  /** The process that had it open is gone (a simulated kill): nothing will settle any more. */
  readonly isGone: boolean;
  close(): Promise<void>;
}
