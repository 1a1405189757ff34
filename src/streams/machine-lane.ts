import type { SchedulerLike } from 'rxjs';
import {
  type ApplyReq,
  after,
  decodePayload,
  type EntryBatch,
  type Index,
  type Input,
  type InstallSnapshotReq,
  lastOf,
  type ReadStateMachineReq,
  type Seq,
  type TakeSnapshotReq,
} from '../core/index.ts';
import type { MachineStore } from '../storage/storage.ts';
import { isPromise } from './is-promise.ts';
import type { StateMachine } from './state-machine.ts';

/** What a {@link MachineLane} works with. */
export interface MachineLaneOptions<Command, Result> {
  // biome-ignore lint/suspicious/noExplicitAny: the lane asks no queries of its own.
  readonly machine: StateMachine<Command, Result, any, any>;
  readonly store: MachineStore;
  /** Through here the machine has applied, durably, when the node starts. */
  readonly appliedIndex: Index;
  /** The log's clock there. */
  readonly logTimeMs: number;
  readonly turnScheduler: SchedulerLike;
  /** A batch from memory; `undefined` if it has to be read. */
  readonly batchAt: (index: Index) => EntryBatch | undefined;
  readonly readLog: (from: Index) => Promise<readonly EntryBatch[]>;
  /** Everything through here is on this node's disk. */
  readonly durableIndex: () => Index;
  readonly input: (input: Input) => void;
  readonly onApplied: (batch: EntryBatch, commands: readonly Command[], results: readonly Result[]) => void;
  readonly onConfirmed: (request: ReadStateMachineReq) => void;
  /** Takes its view of the machine now, and goes on by itself. */
  readonly onTakeSnapshot: (request: TakeSnapshotReq, view: LaneView) => void;
  /** Switches machine and disk to a snapshot; the lane waits. Resolves with whether that was done. */
  readonly onInstallSnapshot: (request: InstallSnapshotReq) => Promise<boolean>;
  /** The switch is over: the machine stands where the snapshot left it, or where it was, and what waited goes on. */
  readonly onInstalled: () => void;
  /** The log could not be read: the node must stop. */
  readonly onLogError: (error: unknown) => void;
  /** The machine failed, perhaps halfway through a batch: the node must stop, and flush nothing of it. */
  readonly onMachineError: (error: unknown) => void;
}

/** Where the machine stands. */
export interface LaneView {
  readonly index: Index;
  /** The log's clock there. */
  readonly logTimeMs: number;
}

/** Looks at the machine between two batches. */
export interface LookReq {
  readonly type: 'lookReq';
  readonly look: (view: LaneView) => void;
}

/** A request of the lane. */
export type MachineReq = ApplyReq | ReadStateMachineReq | TakeSnapshotReq | InstallSnapshotReq | LookReq;

/** After so many commands, the event loop gets its turn. */
const commandsPerTurnMax = 4096;

/**
 * The machine lane (design §3): applies committed entries and answers confirmed reads, each in the order it
 * was asked for, batch by batch, giving way to the event loop in between.
 */
export class MachineLane<Command, Result> {
  readonly #options: MachineLaneOptions<Command, Result>;
  readonly #queue: MachineReq[] = [];
  /** Read from the log, committed, and not applied yet; in order. */
  #fetched: readonly EntryBatch[] = [];
  #nextFetched = 0;
  #applied: Index;
  /** The applied index is durable through here. */
  #durable: Index;
  #logTimeMs: number;
  #isRunning = false;
  #isInstalling = false;
  #isClosed = false;

  constructor(options: MachineLaneOptions<Command, Result>) {
    this.#options = options;
    this.#applied = options.appliedIndex;
    this.#durable = options.appliedIndex;
    this.#logTimeMs = options.logTimeMs;
  }

  /** Applied, and visible to queries, through here. */
  get appliedIndex(): Index {
    return this.#applied;
  }

  /** A snapshot is taking the place of the machine's data, and no query should look at them. */
  get isInstalling(): boolean {
    return this.#isInstalling;
  }

  get #view(): LaneView {
    return { index: this.#applied, logTimeMs: this.#logTimeMs };
  }

  /** Takes the next request of the lane. */
  add(request: MachineReq): void {
    this.#queue.push(request);
    this.#run();
  }

  /** The disk got on: `durableIndex` of the log may have moved, and the machine's data are durable through here. */
  onFlushed(durableAppliedIndex: Index): void {
    if (durableAppliedIndex > this.#durable) this.#durable = durableAppliedIndex;
    this.#run();
  }

  /** Applies nothing more. */
  close(): void {
    this.#isClosed = true;
  }

  #run(): void {
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    try {
      if (!this.#work()) this.#isRunning = false; // Otherwise it goes on by itself.
    } catch (error) {
      this.#options.onMachineError(error); // And never runs again.
    }
  }

  #resume(): void {
    this.#isRunning = false;
    this.#run();
  }

  /** Works until the queue is empty (`false`), or until something else will go on (`true`). */
  #work(): boolean {
    for (let commands = 0; ; ) {
      const request = this.#queue[0];
      if (request === undefined) return false;
      if (request.type === 'readStateMachineReq') {
        this.#queue.shift();
        this.#options.onConfirmed(request);
        continue;
      }
      if (request.type === 'takeSnapshotReq') {
        this.#queue.shift();
        this.#options.onTakeSnapshot(request, this.#view);
        continue;
      }
      if (request.type === 'lookReq') {
        this.#queue.shift();
        request.look(this.#view);
        continue;
      }
      if (request.type === 'installSnapshotReq') return this.#install(request);
      if (this.#applied >= request.through) {
        this.#queue.shift();
        this.#report(request.seq);
        continue;
      }
      if (commands >= commandsPerTurnMax) {
        this.#report(request.seq);
        this.#options.turnScheduler.schedule(() => this.#resume());
        return true;
      }
      const batch = this.#nextBatch();
      if (batch === undefined) return this.#fetch(request.through);
      const mustWait = this.#options.machine.keeps === 'own' && lastOf(batch) > this.#options.durableIndex();
      if (mustWait) return false; // `onFlushed` goes on.
      commands += batch.count;
      if (this.#apply(batch)) return true;
    }
  }

  #install(request: InstallSnapshotReq): true {
    const { seq, snapshot } = request;
    this.#isInstalling = true;
    this.#options.onInstallSnapshot(request).then((isInstalled) => {
      if (this.#isClosed) return;
      this.#isInstalling = false;
      this.#queue.shift();
      if (isInstalled) this.#moveTo(snapshot);
      this.#options.input({ type: 'installSnapshotRes', seq, isInstalled });
      this.#options.onInstalled();
      this.#resume();
    }, this.#options.onMachineError);
    return true;
  }

  #moveTo({ index, logTimeMs }: LaneView): void {
    this.#applied = index;
    this.#durable = index;
    this.#logTimeMs = logTimeMs;
    this.#fetched = [];
    this.#nextFetched = 0;
  }

  #report(seq: Seq): void {
    const durableIndex = this.#options.machine.keeps === 'own' ? this.#applied : this.#durable;
    this.#options.input({ type: 'applyRes', seq, appliedIndex: this.#applied, durableIndex });
  }

  #nextBatch(): EntryBatch | undefined {
    const next = after(this.#applied);
    const fetched = this.#fetched[this.#nextFetched];
    if (fetched?.index !== next) return this.#options.batchAt(next);
    this.#nextFetched += 1;
    return fetched;
  }

  /** Reads what comes next. Only what is committed is kept: the rest may be truncated before it is applied. */
  #fetch(through: Index): true {
    const next = after(this.#applied);
    this.#options.readLog(next).then((batches) => {
      this.#fetched = batches.filter((batch) => lastOf(batch) <= through);
      this.#nextFetched = 0;
      if (this.#fetched[0]?.index === next) return this.#resume();
      const found = batches[0]?.index ?? 'none';
      const what = `the log has no batch that begins at ${next}, the next to apply (found: ${found})`;
      this.#options.onLogError(new Error(what));
    }, this.#options.onLogError);
    return true;
  }

  /** Applies a batch; `true` if that goes on after this call. */
  #apply(batch: EntryBatch): boolean {
    const { machine } = this.#options;
    const commands = batch.kind === 'command' ? this.#commandsOf(batch) : [];
    if (commands.length === 0) {
      this.#finish(batch, commands, []);
      return false;
    }
    const { index, term, logTimeMs } = batch;
    const results = machine.apply(commands, { index, term, logTimeMs });
    if (!isPromise(results)) {
      this.#finish(batch, commands, results);
      return false;
    }
    if (machine.keeps === 'store') {
      throw new Error(
        'a machine that keeps its data in the store must apply synchronously, so that no flush finds it halfway',
      );
    }
    Promise.resolve(results)
      .then((settled) => {
        if (this.#isClosed) return;
        this.#finish(batch, commands, settled);
        this.#resume();
      })
      .catch(this.#options.onMachineError);
    return true;
  }

  /** By a loop, since a function made anew for each batch is compiled anew after each full collection (docs/performance.md). */
  #commandsOf({ payload }: EntryBatch): readonly Command[] {
    const { command } = this.#options.machine;
    const commands: Command[] = [];
    for (const entry of decodePayload(payload)) commands.push(command.decode(entry));
    return commands;
  }

  #finish(batch: EntryBatch, commands: readonly Command[], results: readonly Result[]): void {
    if (results.length !== commands.length) {
      throw new Error(
        `the state machine gave ${results.length} results for ${commands.length} commands at ${batch.index}`,
      );
    }
    this.#applied = lastOf(batch);
    this.#logTimeMs = batch.logTimeMs;
    if (this.#options.machine.keeps === 'store') this.#options.store.advance(this.#applied, batch.logTimeMs);
    this.#options.onApplied(batch, commands, results);
  }
}
