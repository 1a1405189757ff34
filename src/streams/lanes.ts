import {
  type EntryBatch,
  type GroupId,
  type Index,
  type Input,
  index0,
  type Peer,
  type ReadStateMachineReq,
  type RequestId,
  type State,
} from '../core/index.ts';
import type { Storage } from '../storage/storage.ts';
import type { PeerFrame } from '../transport/transport.ts';
import type { Ending, Failure } from './lifetime.ts';
import { LogLane } from './log-lane.ts';
import { MachineLane, type MachineReq } from './machine-lane.ts';
import type { Settings } from './options.ts';
import { Snapshots } from './snapshots.ts';
import type { StateMachine } from './state-machine.ts';

const readBytesMax = 1024 * 1024;

/** What {@link Lanes} work with. */
export interface LanesOptions<Command, Result> {
  readonly settings: Settings;
  readonly storage: Storage;
  // biome-ignore lint/suspicious/noExplicitAny: the lanes ask no queries of their own.
  readonly machine: StateMachine<Command, Result, any, any>;
  /** What the machine has applied, durably, when the node starts. */
  readonly appliedIndex: Index;
  /** The log's clock there. */
  readonly logTimeMs: number;
  /** What of the log comes after the last snapshot when the node starts, about. */
  readonly bytesSinceSnapshot: number;
  readonly group: GroupId;
  readonly send: (to: Peer, frame: PeerFrame) => boolean;
  readonly nextId: () => RequestId;
  readonly state: () => State | null;
  readonly input: (input: Input) => void;
  readonly onApplied: (batch: EntryBatch, commands: readonly Command[], results: readonly Result[]) => void;
  readonly onConfirmed: (request: ReadStateMachineReq) => void;
  /** The disk has finished a transaction, and the core has been told. */
  readonly onFlushed: () => void;
  /** Machine and log have been switched to a snapshot. */
  readonly onInstalled: () => void;
  readonly onFailure: (failure: Failure) => void;
}

/** The two lanes in which a node's slow work is done, the log's and the machine's, over one storage. */
export class Lanes<Command, Result> {
  readonly log: LogLane;
  readonly snapshots: Snapshots;
  readonly #machine: MachineLane<Command, Result>;
  readonly #options: LanesOptions<Command, Result>;

  constructor(options: LanesOptions<Command, Result>) {
    this.#options = options;
    this.log = new LogLane(options.storage, {
      timeScheduler: options.settings.timeScheduler,
      clock: options.settings.clock,
      bytesSinceSnapshot: options.bytesSinceSnapshot,
      input: options.input,
      onError: (cause) => this.onDiskError(cause),
    });
    this.#machine = this.#machineLane();
    this.snapshots = this.#newSnapshots();
  }

  #newSnapshots(): Snapshots {
    const { group, machine, storage, settings, send, input, onFailure } = this.#options;
    return new Snapshots({
      group,
      machine,
      storage,
      log: this.log,
      commitIndex: () => this.#options.state()?.commitIndex ?? index0,
      inLane: (look) => this.#machine.add({ type: 'lookReq', look }),
      send,
      input,
      now: settings.clock,
      onError: (cause) => onFailure({ what: 'A snapshot failed', cause }),
      logger: settings.logger,
    });
  }

  #machineLane(): MachineLane<Command, Result> {
    const { machine, storage, settings, appliedIndex, logTimeMs, input, onConfirmed } = this.#options;
    return new MachineLane({
      machine,
      store: storage.machineStore,
      appliedIndex,
      logTimeMs,
      turnScheduler: settings.turnScheduler,
      batchAt: (at) => this.log.batchAt(at),
      readLog: async (from) => {
        const batches = await this.readLog(from);
        return batches === 'compacted' ? [] : batches;
      },
      durableIndex: () => this.log.durableIndex,
      input,
      onApplied: (batch, commands, results) => this.#onApplied(batch, commands, results),
      onConfirmed,
      onTakeSnapshot: (request, view) => this.snapshots.take(request, view),
      onInstallSnapshot: (request) => this.snapshots.install(request),
      onInstalled: () => this.#options.onInstalled(),
      onLogError: (cause) => this.onDiskError(cause),
      onMachineError: (cause) => {
        const isMachineHalfway = machine.keeps === 'store';
        this.#options.onFailure({ what: 'The state machine failed', cause, isMachineHalfway });
      },
    });
  }

  /** Everything through here has been applied. */
  get appliedIndex(): Index {
    return this.#machine.appliedIndex;
  }

  /** A snapshot is taking the place of the machine's data. */
  get isInstalling(): boolean {
    return this.#machine.isInstalling;
  }

  /** Begins to tell the core and the machine's lane what has become durable. */
  begin(): void {
    this.log.persisted$.subscribe({
      next: ({ seq, durableAppliedIndex, compacted }) => {
        if (seq > 0) this.#options.input({ type: 'persistRes', seq });
        for (const compaction of compacted) this.#options.input({ type: 'compactLogRes', seq: compaction });
        this.#machine.onFlushed(durableAppliedIndex);
        this.snapshots.onFlushed(durableAppliedIndex);
        this.#options.onFlushed();
      },
      error: (cause: unknown) => this.onDiskError(cause),
    });
  }

  /** Takes the next request of the machine's lane. */
  add(request: MachineReq): void {
    this.#machine.add(request);
  }

  /** Whole batches from the one that holds `from`. */
  readLog(from: Index): Promise<readonly EntryBatch[] | 'compacted'> {
    return this.log.read({ from, maxBytes: readBytesMax });
  }

  /** Whether this machine can give a snapshot at all. */
  get canSnapshot(): boolean {
    const { keeps, snapshot } = this.#options.machine;
    return keeps === 'store' || snapshot !== undefined;
  }

  /** Takes a snapshot and compacts the log, every so many entries or bytes (§7). */
  compactIfDue(state: State): void {
    const { snapshotEntries, snapshotBytes } = this.#options.settings;
    if (state.compacting !== null || state.installing !== null) return;
    const entries = state.lastApplied - state.snapshotIndex;
    const isLong = entries >= snapshotEntries || this.log.bytesSinceSnapshot >= snapshotBytes;
    const { afterFailure, isBusy } = this.snapshots;
    const isDue = afterFailure === 'none' ? isLong : afterFailure === 'retry';
    if (entries === 0 || !isDue || !this.canSnapshot || isBusy) return;
    this.#options.input({ type: 'compact', id: this.#options.nextId(), keepsPrevious: true });
  }

  onDiskError(cause: unknown): void {
    this.#options.onFailure({ what: 'The disk failed', cause });
  }

  #onApplied(batch: EntryBatch, commands: readonly Command[], results: readonly Result[]): void {
    if (this.#options.machine.keeps === 'store') this.log.noteMachineChange();
    this.#options.onApplied(batch, commands, results);
  }

  /**
   * Applies nothing more, and lets what is on its way to the disk get there, if it may. Where it may not, what a machine
   * that threw has written of a batch must not be flushed without the rest: it is forgotten.
   */
  async letGo({ canFlush }: Ending): Promise<void> {
    this.#machine.close();
    this.snapshots.stopSending();
    if (!canFlush) {
      this.log.abandon();
      return this.#options.storage.discard();
    }
    await this.log.complete();
    await this.#options.storage.close();
  }
}
