import type {
  Configuration,
  ConfigurationAt,
  EntryBatch,
  HardState,
  Index,
  LogIndex,
  PersistReq,
  Seq,
  StoreId,
} from '../core/index.ts';

/** The cluster that a store belongs to, and the configuration it began with (index 0, term 0). */
export interface Founding {
  /** Random, drawn once when the cluster is founded. */
  readonly clusterId: string;
  readonly configuration: Configuration;
}

/** What a store holds when it is opened. Everything here is durable. */
export interface Loaded {
  /** Drawn at random when the store was created. */
  readonly storeId: StoreId;
  /** How often the store has been opened, this time included. */
  readonly bootCounter: number;
  /** `null` in a store that has not joined a cluster yet. */
  readonly founding: Founding | null;
  /** Term 0 and no vote in a new store. */
  readonly hardState: HardState;
  readonly log: LogIndex;
  /** Ascending; the founding configuration first. Empty where `founding` is `null`. */
  readonly configurations: readonly ConfigurationAt[];
}

/** What a finished transaction made durable. */
export interface Persisted {
  /** Of the last request it carried; 0 if none. */
  readonly seq: Seq;
  /** The state machine in this environment is durable through here. */
  readonly durableAppliedIndex: Index;
}

/**
 * The disk of one node. All writes are asynchronous; a promise that rejects means that the node must stop,
 * since a disk that lost one write can't be trusted with the next.
 */
export interface Storage {
  /**
   * Opens the store, creating it where there is none, and makes one durable write (the boot counter) before
   * anything it loaded counts as durable.
   *
   * Rejects with a {@link StorageError}: `RAFT_STORE_IN_USE`, `RAFT_STORE_DAMAGED`, `RAFT_STORE_NEWER`,
   * `RAFT_STORE_OTHER_NODE`, `RAFT_STORE_FAILED`.
   */
  open(): Promise<Loaded>;

  /**
   * Makes the store a member of a cluster. Resolves when that is durable. Only for a store without one: else
   * it rejects with `RAFT_STORE_FOUNDED` and changes nothing.
   */
  found(founding: Founding): Promise<void>;

  /**
   * Carries out all of these in one transaction, together with what the machine store holds unflushed.
   * Resolves once all of it survives a power cut. The caller waits for one before it starts the next.
   * May be called with no requests, to flush the machine store.
   *
   * Rejects with `RAFT_STORE_FAILED` when the disk refuses, when batches do not follow each other and the log
   * (rule 14), or when it is called while a write is under way. Every later call then rejects with it too.
   */
  persist(requests: readonly PersistReq[]): Promise<Persisted>;

  /**
   * Whole batches from the start of the one that holds `from`, at least one, and more while their payloads
   * stay within `maxBytes`. Sees what `persist` has resolved. `compacted` when `from` is before the log's
   * start; empty when it is beyond the end.
   */
  readLog(range: {
    readonly from: Index;
    readonly maxBytes: number;
  }): Promise<readonly EntryBatch[] | 'compacted'>;

  /** The ordered space in the same environment where a state machine keeps its data. */
  readonly machineStore: MachineStore;

  /** Flushes what is pending and lets go of the files. Never rejects for a store that has failed already. */
  close(): Promise<void>;
}

/**
 * Keys and values of a state machine, in the same environment as the log, so that one flush serves both.
 *
 * Writes are visible to reads at once and become durable with the next {@link Storage.persist}, in one
 * transaction with the applied index they belong to (rule 13). Keys are 1 to 1,900 bytes, ordered bytewise;
 * others throw `RAFT_STORE_KEY`.
 */
export interface MachineStore {
  /** Everything through this index is in what reads see. After opening: what is durable. */
  readonly appliedIndex: Index;
  /** Whether anything, the applied index included, is not durable yet. */
  readonly isDirty: boolean;
  /** The value of a key; the bytes are not to be changed. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Sets a key. Neither array may be changed afterwards. */
  put(key: Uint8Array, value: Uint8Array): void;
  /** Removes a key, if it is there. */
  delete(key: Uint8Array): void;
  /** Keys from `from` (inclusive) to `to` (exclusive), ascending. One consistent view if consumed at once. */
  range(bounds: {
    readonly from?: Uint8Array;
    readonly to?: Uint8Array;
  }): Iterable<readonly [Uint8Array, Uint8Array]>;
  /** Says that the writes so far carry the machine through `index`. Never goes back. */
  advance(index: Index): void;
}
