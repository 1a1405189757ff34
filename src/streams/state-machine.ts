import type { Index, Term } from '../core/index.ts';
import type { MachineStore } from '../storage/storage.ts';
import type { Codec } from '../transport/codec.ts';

export type { Codec };

/** Where a command stands in the log, the same on every node. */
export interface LogPosition {
  /** Of the first of the commands applied together; the next one has `index + 1`, … */
  readonly index: Index;
  readonly term: Term;
  /** The log's own clock in milliseconds: the only time that a state machine may use. */
  readonly logTimeMs: number;
}

/**
 * What a cluster replicates: deterministic, so that the same commands give the same data and the same
 * results on every node. No clock, no randomness, no I/O besides its own storage.
 */
export interface StateMachine<Command, Result, Query, Answer> {
  /**
   * Where its data live. `memory`: nowhere; they are rebuilt from the log at each start. `store`: in the
   * `MachineStore` it is opened with, flushed together with the log. `own`: in a storage of its own, which
   * keeps the applied index in the same transaction as the data (rule 13); it is then given only entries
   * that this node's disk holds.
   */
  readonly keeps: 'memory' | 'store' | 'own';
  readonly command: Codec<Command>;
  /** Results travel from the leader to the node where the write came in. */
  readonly result: Codec<Result>;
  /**
   * Makes the machine ready, and says through which index its data go, durably: `store.appliedIndex` for a
   * machine that keeps its data in `store`, 0 for one in memory. Called again when the store has been switched to
   * a snapshot of another node.
   */
  open(store: MachineStore): Index | Promise<Index>;
  /**
   * Applies commands that stand one after the other in the log, in order, and gives one result for each. A
   * machine in `store` writes there; the runtime then calls `store.advance`.
   *
   * If it throws, the node stops: a command that can't be applied is a bug that every node shares. A command
   * that makes no sense must be answered with a result that says so. A result must not change any more once it is given: it may be
   * encoded later.
   */
  apply(commands: readonly Command[], at: LogPosition): readonly Result[] | Promise<readonly Result[]>;
  /** Answers a query from what has been applied. It may throw: the error goes to the caller. */
  query(query: Query): Answer | Promise<Answer>;
  /**
   * Everything that `restore` needs, as it is now: later commands must not show in it. In pieces of at most
   * 128 KiB, since each is held in memory; they are asked for bit by bit while the machine goes on. Not needed by a
   * machine that keeps its data in the store; without it, a machine's log can't be compacted. If it throws, or gives something else
   * than bytes, no snapshot is taken: the node goes on with its whole log, says so in the logger, and tries again after a pause.
   */
  snapshot?(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /**
   * Whether an entry of a snapshot that another node sends can be one: a key and its value of a machine that keeps its
   * data in the store; of another one a number and a piece of what `snapshot` gave. Asked of each, in order, before the
   * snapshot takes the place of anything. If not, or if it throws, the snapshot is dropped, and the leader
   * sends another one after a pause. Without it, all are taken.
   */
  isSnapshotEntry?(key: Uint8Array, value: Uint8Array): boolean;
  /** Replaces everything by what `snapshot` gave, on this node or another, after the entry at `index`. */
  restore?(pieces: Iterable<Uint8Array>, index: Index): void | Promise<void>;
}
