import type {
  CompactLogReq,
  Configuration,
  ConfigurationAt,
  EntryBatch,
  HardState,
  Index,
  LogIndex,
  PersistReq,
  Seq,
  StoreId,
  Term,
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
  /**
   * Those of the log, ascending; first the one in effect at the log's start, which is the founding one in a log
   * that was never compacted. Only what the log itself brought where `founding` is `null`.
   */
  readonly configurations: readonly ConfigurationAt[];
}

/** What goes into a log transaction, in order. */
export type LogWork = PersistReq | CompactLogReq;

/**
 * Durable data of a state machine at one moment. While it is open, the disk space of what is deleted meanwhile
 * is not used again.
 */
export interface SnapshotView {
  /** Applied through here. */
  readonly index: Index;
  /** The log's clock there. */
  readonly logTimeMs: number;
  /**
   * A piece of at most 256 KiB, by number from 0; the same bytes each time. A larger value is in several.
   * `undefined` beyond the last. One that was never reached takes reading all before it, so go in order.
   */
  chunk(number: number): SnapshotChunk | undefined;
  /** Lets go of the data: what was deleted since can go. */
  close(): void;
}

/** A piece of a snapshot: keys and values of the machine store, in order, or a part of one large value. */
export interface SnapshotChunk {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

/** Whether a key and a value of a snapshot can be what a state machine wrote. */
export type IsEntry = (key: Uint8Array, value: Uint8Array) => boolean;

/** A snapshot on its way in. */
export interface SnapshotStage {
  readonly transferId: string;
  /** Every chunk below is durable. */
  readonly nextChunk: number;
  readonly isComplete: boolean;
  /**
   * Makes the next chunk durable: the one numbered `nextChunk`. Its bytes are not to be changed afterwards.
   * Rejects with `RAFT_BAD_SNAPSHOT` if another chunk is next or the stage was dropped; and also drops the stage
   * if the bytes are not keys and values in order, or an entry is refused by the `isEntry` of {@link Storage.stage}.
   */
  append(chunk: SnapshotChunk): Promise<void>;
}

/** What {@link Storage.install} switches to. */
export interface SnapshotSwitch {
  readonly transferId: string;
  readonly index: Index;
  readonly logTimeMs: number;
  /**
   * The log begins after `index` from now on; `keepsSuffix` says whether what follows it stays. `null` for a
   * snapshot that this node took of its own machine: log and configuration stay as they are.
   */
  readonly log: {
    readonly term: Term;
    readonly configuration: ConfigurationAt;
    readonly keepsSuffix: boolean;
  } | null;
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
   * Carries out all of these in one transaction, with all that the machine store holds unflushed, or with
   * nothing of it if `withMachine` is `false`. Resolves once all of it survives a power cut. The caller waits for
   * one before it starts the next. May be called with no requests, to flush the machine store.
   *
   * A compaction moves the log's start, and the configurations with it, in that transaction; what it makes
   * needless is deleted later, in slices. Chunks of a snapshot may be written at the same time.
   *
   * Rejects with `RAFT_STORE_FAILED` when the disk refuses, when batches do not follow each other and the log
   * (rule 14), when a compaction does not fall on the end of a batch, or when it is called while another one is
   * under way. Every later call then rejects with it too.
   */
  persist(requests: readonly LogWork[], options?: { readonly withMachine: boolean }): Promise<Persisted>;

  /**
   * The machine store's durable data as they are now, unmoved by what is written later, as chunks. To be closed.
   */
  viewMachine(): SnapshotView;

  /**
   * Begins, or goes on with, receiving a snapshot: its chunks become durable beside the data in use. There
   * is one stage at a time; chunks of any other transfer are dropped. Chunks and switches are carried out in the
   * order they were asked for.
   *
   * `isEntry` is asked of each key and value, whole, before it becomes durable; if it throws, it is none. Default: all are taken.
   */
  stage(transferId: string, isEntry?: IsEntry): Promise<SnapshotStage>;

  /**
   * Switches the machine store to a staged snapshot, and the log's start and configuration with it, in one
   * small transaction (rule 12); term and vote stay. The caller has no `persist` under way, and begins none until
   * this is done. What the machine store holds unflushed is forgotten. Resolves, durably, with `false` and no
   * change if that transfer is not staged whole. What was in use is deleted later, in slices.
   *
   * Rejects with `RAFT_STORE_FAILED` as {@link Storage.persist} does, also when the log does not hold the
   * suffix to be kept, or would leave a gap before or after the snapshot.
   */
  install(request: SnapshotSwitch): Promise<boolean>;

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

  /**
   * Flushes what is pending and lets go of the files. Never rejects for a store that has failed already. While it or
   * {@link Storage.discard} is under way, either gives the promise of that ending, opening is refused
   * (`RAFT_STORE_IN_USE`), and so is all that is asked of the store from then on (`RAFT_STORE_CLOSED`).
   */
  close(): Promise<void>;

  /**
   * Lets go of the files once what is being written has settled, and begins nothing more: what the machine store holds
   * unflushed is forgotten, also by a close that waits for a write. For a machine that threw, whose writes may be those of
   * half a batch. Afterwards the store can be opened again, as it was flushed last.
   */
  discard(): Promise<void>;
}

/**
 * Keys and values of a state machine, in the same environment as the log, so that one flush serves both.
 *
 * Writes are visible to reads at once and become durable with the next {@link Storage.persist}, in one
 * transaction with the applied index they belong to (rule 13). Keys are 1 to 1,900 bytes, ordered bytewise;
 * others throw `RAFT_STORE_KEY`, and values that are no `Uint8Array` throw `RAFT_STORE_VALUE`.
 */
export interface MachineStore {
  /** Everything through this index is in what reads see. After opening: what is durable. */
  readonly appliedIndex: Index;
  /** Whether anything, the applied index included, is not durable yet. */
  readonly isDirty: boolean;
  /** Keys that were set or deleted since the last transaction with the machine began; some may have nothing to write. */
  readonly unflushedKeys: number;
  /** Bytes of those keys and of the values that they have now. */
  readonly unflushedBytes: number;
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
  /** Says that the writes so far carry the machine through `index`, where the log's clock is. Never goes back. */
  advance(index: Index, logTimeMs: number): void;
}
