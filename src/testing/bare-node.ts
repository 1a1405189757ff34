import {
  type Config,
  type ConfigurationAt,
  type Index,
  type Input,
  index,
  initialState,
  lastOf,
  lower,
  type Output,
  type Peer,
  type State,
  step,
} from '../core/index.ts';
import { BareDisk } from './bare-disk.ts';
import type { LogWork } from './bare-lanes.ts';
import { BareProcess } from './bare-process.ts';
import type { Shipment } from './bare-snapshots.ts';
import { type Applied, batchAt, configurationsOf, type Disk, logIndexOf, startOf } from './disk.ts';

/** How many entries two snapshots are taken to have between them, where a machine in the store keeps none of its own. */
export const bareSnapshotEntries = 15;

/** How a bare node is put together. */
export interface BareNodeOptions {
  readonly self: Peer;
  readonly config: Config;
  readonly configurations: readonly ConfigurationAt[];
  readonly seed: number;
  readonly disk: Disk;
  /** Whether what the state machine applied survives a crash. In memory it begins at 0 again. */
  readonly isMachineDurable: boolean;
}

/**
 * A core with a disk and a state machine that do what they are told, when they are told. Nothing happens by
 * itself: a write is on disk after {@link BareNode.sync}, a commit is applied after {@link BareNode.runMachine}.
 *
 * The disk outlives a crash. The process dies of it, with all that waited in it, and each start has a new core.
 */
export class BareNode {
  readonly #options: BareNodeOptions;
  readonly #disk: BareDisk;
  #isUp = true;
  #boot = 1;
  #process: BareProcess;
  #state: State;

  constructor(options: BareNodeOptions) {
    this.#options = options;
    this.#disk = new BareDisk(options.disk, options.configurations);
    this.#process = this.#newProcess();
    this.#state = this.#start();
  }

  /** Its name and its store. */
  get self(): Peer {
    return this.#options.self;
  }

  /** Its core, as it is now. */
  get state(): State {
    return this.#state;
  }

  /** Whether it runs: a node that crashed waits for {@link BareNode.restart}. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** How often it has started: a completion of an earlier run never arrives. */
  get boot(): number {
    return this.#boot;
  }

  /** Names this run of this node: another one after each start, and on each store. */
  get run(): string {
    return `${this.self.storeId}#${this.#boot}`;
  }

  /** What a power cut leaves. */
  get durable(): Disk {
    return this.#disk.durable;
  }

  /** What the process has written, flushed or not. */
  get written(): Disk {
    return this.#disk.written;
  }

  /** How many completions of the log lane the core was not told of. */
  get unheard(): number {
    return this.#process.unheard;
  }

  /** Requests of the log lane that are not carried out, in order. */
  get unflushed(): readonly LogWork[] {
    return this.#process.lanes.log;
  }

  /** Whether the log lane can get on: not while a switch to a snapshot waits for the machine lane. */
  get canSync(): boolean {
    return this.#process.lanes.nextOfLog !== undefined;
  }

  /** Whether the machine lane can get on: not while a switch to a snapshot waits for the log lane. */
  get canRunMachine(): boolean {
    return this.#process.lanes.nextOfMachine !== undefined;
  }

  /** How many snapshots of its own are being made durable. */
  get views(): number {
    return this.#process.snapshots.taken.length;
  }

  /** Whether the oldest of them can be: it joins a transaction with every disk request before it (design §6). */
  get canKeepView(): boolean {
    return this.#process.canKeepView;
  }

  /** Snapshots that it is sending. */
  get shipments(): readonly Shipment[] {
    return this.#process.snapshots.shipments;
  }

  /** How many `readLogReq` wait to be answered. */
  get logReads(): number {
    return this.#disk.reads;
  }

  /** How many requests wait in the machine lane. */
  get laneLength(): number {
    return this.#process.lanes.machine.length;
  }

  /** What the state machine holds. */
  get applied(): readonly Applied[] {
    return this.#process.machine.applied;
  }

  /** How far the state machine is. */
  get appliedIndex(): Index {
    return this.#process.machine.appliedIndex;
  }

  /** Something happens. The node's own disk and machine take their requests; all outputs are returned. */
  step(input: Input): readonly Output[] {
    const { state, outputs } = step(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#process.take(output);
    return outputs;
  }

  /**
   * Carries out the oldest `count` requests of the log lane, by default all, as far as no switch to a snapshot waits
   * for the machine lane. The completions are returned: of several flushes, that of the last.
   */
  sync(count?: number): readonly Input[] {
    return this.#process.sync(count);
  }

  /** Carries out requests of the log lane as {@link BareNode.sync} does, but the core is not told yet. */
  syncUnheard(count?: number): void {
    this.#process.syncUnheard(count);
  }

  /** The oldest completion that the core was not told of. */
  hear(): Input | undefined {
    return this.#process.hear();
  }

  /** The answer to the oldest `readLogReq`. */
  readLog(): Input | undefined {
    return this.#disk.answerRead();
  }

  /**
   * Carries out the oldest request of the machine lane, of an `applyReq` at most `count` entries. Its
   * completion is returned; a snapshot's comes later, from {@link BareNode.keepView}.
   */
  runMachine(count?: number): Input | undefined {
    return this.#process.runMachine(count);
  }

  /** The oldest snapshot taken is durable, if that can be. */
  keepView(): Input | undefined {
    return this.#process.keepView();
  }

  /** The oldest snapshot to send has gone: `isSent` says whether all its chunks arrived. */
  ship(isSent: boolean): Input | undefined {
    return this.#process.snapshots.ship(isSent);
  }

  /** All chunks of a snapshot are here. */
  stage(shipment: Shipment): void {
    this.#process.snapshots.stage(shipment);
  }

  /** The process dies. Of the unflushed requests the oldest `keep` had reached the disk: by default none. */
  crash(keep = 0): void {
    this.#isUp = false;
    this.sync(keep);
    this.#disk.losePower();
    this.#process = this.#newProcess(); // Snapshots that came in are orphans now, which a start deletes.
  }

  /** The process starts again, from what its disk holds. */
  restart(): void {
    this.#isUp = true;
    this.#boot += 1;
    this.#state = this.#start();
  }

  #newProcess(): BareProcess {
    const { self, isMachineDurable } = this.#options;
    return new BareProcess({ self, disk: this.#disk, isMachineDurable });
  }

  /** The machine goes on from what the disk holds of it, and then the core from what the disk and the machine hold. */
  #start(): State {
    const { self, config, configurations, seed } = this.#options;
    this.#process.start(this.#boot);
    const { durable } = this;
    const known = configurationsOf(durable);
    return initialState({
      self,
      group: 0,
      config,
      seed: seed + this.#boot,
      hardState: durable.hardState,
      log: logIndexOf(durable),
      configurations: durable.start === undefined ? [...configurations, ...known] : known,
      appliedIndex: this.appliedIndex,
      snapshotIndex: this.#snapshotIndex,
    });
  }

  /**
   * Where the machine's last snapshot is taken to be, as the runtime does (`found-log.ts` in `src/streams`): what was saved
   * of a machine in memory, or the end of a batch an interval before what one in the store has applied.
   */
  get #snapshotIndex(): Index {
    const { appliedIndex, durable } = this;
    if (!this.#options.isMachineDurable) return appliedIndex;
    const from = appliedIndex - bareSnapshotEntries;
    const batch = from > startOf(durable) ? batchAt(durable, index(from)) : undefined;
    return batch === undefined ? startOf(durable) : lower(lastOf(batch), appliedIndex);
  }
}
