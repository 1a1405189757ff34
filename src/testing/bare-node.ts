import {
  type ApplyReq,
  type CompactLogReq,
  type Config,
  type ConfigurationAt,
  decodePayload,
  type EntryBatch,
  type Index,
  type Input,
  type InstallSnapshotReq,
  index,
  index0,
  initialState,
  lastOf,
  type Output,
  type Peer,
  type PersistReq,
  type ReadStateMachineReq,
  type SendSnapshotReq,
  type Seq,
  type State,
  step,
  type TakeSnapshotReq,
} from '../core/index.ts';
import {
  type Applied,
  batchesFrom,
  compacted,
  configurationsOf,
  type Disk,
  lastBatchThrough,
  lastIndexOf,
  logIndexOf,
  type MachineData,
  persisted,
  startOf,
  switched,
  withMachine,
} from './disk.ts';
import { decodeText, encodeText } from './text.ts';
import { expectThat } from './violation.ts';

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

export type { Applied } from './disk.ts';

interface LogRead {
  readonly seq: Seq;
  readonly batches: readonly EntryBatch[] | 'compacted';
}

/** The state machine as it was at an index. */
export interface View {
  readonly index: Index;
  readonly logTimeMs: number;
  readonly applied: readonly Applied[];
}

/** A snapshot on its way to a follower, in chunks. */
export interface Shipment {
  readonly seq: Seq;
  readonly to: Peer;
  readonly view: View;
  readonly transferId: string;
}

/** What the log lane carries out, in order. */
type LogWork = PersistReq | CompactLogReq | InstallSnapshotReq;
type MachineWork = Apply | ReadStateMachineReq | TakeSnapshotReq | InstallSnapshotReq;

/** An `applyReq`, and what was asked of the disk before it. */
interface Apply {
  readonly request: ApplyReq;
  readonly persistSeq: Seq;
}

const none: readonly string[] = [];
/** Every node of a cluster holds the same bytes, and asks again and again what they say. */
const decoded = new WeakMap<Uint8Array, readonly string[]>();

/** The commands of a batch, as text. */
export function commandsOf({ kind, payload }: EntryBatch): readonly string[] {
  if (kind !== 'command') return none;
  const known = decoded.get(payload);
  if (known !== undefined) return known;
  const commands = decodePayload(payload).map(decodeText);
  decoded.set(payload, commands);
  return commands;
}

/**
 * A core with a disk and a state machine that do what they are told, when they are told. Nothing happens by
 * itself: a write is on disk after {@link BareNode.flush}, a commit is applied after {@link BareNode.apply}.
 */
export class BareNode {
  readonly #options: BareNodeOptions;
  #state: State;
  #isUp = true;
  #boot = 1;
  #durable: Disk;
  #written: Disk;
  #unflushed: LogWork[] = [];
  /** What the disk has completed, on its way to the core. */
  #unheard: Input[] = [];
  #logReads: LogRead[] = [];
  #lane: MachineWork[] = [];
  /** Views that are being made durable. */
  #views: { readonly seq: Seq; readonly view: View; readonly persistSeq: Seq }[] = [];
  #shipments: Shipment[] = [];
  /** Snapshots whose chunks are all here, by transfer. */
  readonly #staged = new Map<string, View>();
  #applied: Applied[] = [];
  #appliedIndex = index0;
  /** What the machine applied and has not flushed, with the disk request that must not come later. */
  #unflushedApplies: { readonly index: Index; readonly persistSeq: Seq }[] = [];

  constructor(options: BareNodeOptions) {
    this.#options = options;
    this.#durable = options.disk;
    this.#written = options.disk;
    this.#loadMachine();
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
    return this.#durable;
  }

  /** What the process has written, flushed or not. */
  get written(): Disk {
    return this.#written;
  }

  /** How many completions of the log lane the core was not told of. */
  get unheard(): number {
    return this.#unheard.length;
  }

  /** Requests of the log lane that are not carried out, in order. */
  get unflushed(): readonly LogWork[] {
    return this.#unflushed;
  }

  /** Whether the log lane can get on: not while a switch to a snapshot waits for the machine lane. */
  get canSync(): boolean {
    const next = this.#unflushed[0];
    return next !== undefined && (next.type !== 'installSnapshotReq' || this.#lane[0] === next);
  }

  /** Whether the machine lane can get on: not while a switch to a snapshot waits for the log lane. */
  get canRunMachine(): boolean {
    const next = this.#lane[0];
    return next !== undefined && (!isInstall(next) || this.#unflushed[0] === next);
  }

  /** How many snapshots of its own are being made durable. */
  get views(): number {
    return this.#views.length;
  }

  /** Whether the oldest of them can be: it joins a transaction with every disk request before it (design §6). */
  get canKeepView(): boolean {
    const oldest = this.#views[0];
    if (oldest === undefined) return false;
    const isEarlier = (work: LogWork) => work.type === 'persistReq' && work.seq <= oldest.persistSeq;
    return !this.#unflushed.some(isEarlier);
  }

  /** Snapshots that it is sending. */
  get shipments(): readonly Shipment[] {
    return this.#shipments;
  }

  /** How many `readLogReq` wait to be answered. */
  get logReads(): number {
    return this.#logReads.length;
  }

  /** How many requests wait in the machine lane. */
  get laneLength(): number {
    return this.#lane.length;
  }

  /** What the state machine holds. */
  get applied(): readonly Applied[] {
    return this.#applied;
  }

  /** How far the state machine is. */
  get appliedIndex(): Index {
    return this.#appliedIndex;
  }

  /** Something happens. The node's own disk and machine take their requests; all outputs are returned. */
  step(input: Input): readonly Output[] {
    const { state, outputs } = step(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#take(output);
    return outputs;
  }

  /**
   * Carries out the oldest `count` requests of the log lane, as far as no switch to a snapshot waits for the
   * machine lane. The completions are returned: of several flushes, that of the last.
   */
  sync(count = this.#unflushed.length): readonly Input[] {
    const completions: Input[] = [];
    let flushed = 0;
    for (let done = 0; done < count && this.canSync; done++) {
      const request = this.#unflushed.shift() as LogWork;
      switch (request.type) {
        case 'persistReq':
          this.#durable = persisted(this.#durable, request);
          flushed = request.seq;
          break;
        case 'compactLogReq':
          expectThat(
            request.through <= this.#durable.appliedIndex,
            () => `the log is compacted through ${request.through}, the machine’s disk holds less`,
          );
          this.#durable = compacted(this.#durable, request, this.#options.configurations);
          completions.push({ type: 'compactLogRes', seq: request.seq });
          break;
        case 'installSnapshotReq':
          this.#lane.shift();
          completions.push(this.#install(request));
          break;
      }
    }
    if (flushed === 0) return completions;
    if (this.#options.isMachineDurable) this.#flushMachine(flushed);
    return [{ type: 'persistRes', seq: flushed }, ...completions];
  }

  /** Carries out requests of the log lane as {@link BareNode.sync} does, but the core is not told yet. */
  syncUnheard(count?: number): void {
    this.#unheard.push(...this.sync(count));
  }

  /** The oldest completion that the core was not told of. */
  hear(): Input | undefined {
    return this.#unheard.shift();
  }

  /** The answer to the oldest `readLogReq`. */
  readLog(): Input | undefined {
    const read = this.#logReads.shift();
    return read && { type: 'readLogRes', seq: read.seq, batches: read.batches };
  }

  /**
   * Carries out the oldest request of the machine lane, of an `applyReq` at most `count` entries. Its
   * completion is returned; a snapshot's comes later, from {@link BareNode.keepView}.
   */
  runMachine(count = Number.POSITIVE_INFINITY): Input | undefined {
    const next = this.#lane[0];
    if (next === undefined || !this.canRunMachine) return undefined;
    if (!('request' in next)) {
      this.#lane.shift();
      if (next.type === 'readStateMachineReq') return this.#query(next);
      if (next.type === 'takeSnapshotReq') {
        this.#views.push({ seq: next.seq, view: this.#viewNow(), persistSeq: this.#lastPersistSeq() });
        return undefined;
      }
      this.#unflushed.shift();
      return this.#install(next);
    }
    const { seq, through } = next.request;
    const target = index(Math.min(through, this.#appliedIndex + count));
    if (target === through) this.#lane.shift();
    this.#applyThrough(target);
    this.#unflushedApplies.push({ index: target, persistSeq: next.persistSeq });
    return { type: 'applyRes', seq, appliedIndex: this.#appliedIndex, durableIndex: index0 };
  }

  /** The oldest snapshot taken is durable. A machine whose durable state is one already says how far that is. */
  keepView(): Input | undefined {
    const taken = this.canKeepView ? this.#views.shift() : undefined;
    if (taken === undefined) return undefined;
    const { seq, view } = taken;
    const isNews = !this.#options.isMachineDurable && view.index > this.#durable.appliedIndex;
    if (isNews) this.#keep({ appliedIndex: view.index, applied: view.applied });
    return { type: 'takeSnapshotRes', seq, index: this.#durable.appliedIndex };
  }

  /** The oldest snapshot to send has gone: `isSent` says whether all its chunks arrived. */
  ship(isSent: boolean): Input | undefined {
    const shipment = this.#shipments.shift();
    if (shipment === undefined) return undefined;
    const { seq, transferId, view } = shipment;
    const { index: through, logTimeMs } = view;
    return { type: 'sendSnapshotRes', seq, sent: isSent ? { transferId, index: through, logTimeMs } : null };
  }

  /** All chunks of a snapshot are here. */
  stage({ transferId, view }: Shipment): void {
    this.#staged.set(transferId, view);
  }

  /** The process dies. Of the unflushed requests the oldest `keep` had reached the disk: by default none. */
  crash(keep = 0): void {
    this.#isUp = false;
    this.sync(keep);
    this.#unflushed = [];
    this.#unheard = [];
    this.#written = this.#durable;
    this.#logReads = [];
    this.#lane = [];
    this.#views = [];
    this.#shipments = [];
    this.#staged.clear(); // Orphans are deleted at the next start.
    this.#unflushedApplies = [];
    this.#applied = [];
    this.#appliedIndex = index0;
  }

  /** The process starts again, from what its disk holds. */
  restart(): void {
    this.#isUp = true;
    this.#boot += 1;
    this.#loadMachine();
    this.#state = this.#start();
  }

  #loadMachine(): void {
    const { appliedIndex, applied } = this.#durable;
    expectThat(
      appliedIndex >= startOf(this.#durable) && appliedIndex <= lastIndexOf(this.#durable),
      () => `${this.self.id} starts with ${appliedIndex} applied, which its log does not go on from`,
    );
    if (applied === undefined) return this.#applyThrough(appliedIndex);
    this.#applied = [...applied];
    this.#appliedIndex = appliedIndex;
  }

  #start(): State {
    const { self, config, configurations, seed } = this.#options;
    const known = configurationsOf(this.#durable);
    return initialState({
      self,
      group: 0,
      config,
      seed: seed + this.#boot,
      hardState: this.#durable.hardState,
      log: logIndexOf(this.#durable),
      configurations: this.#durable.start === undefined ? [...configurations, ...known] : known,
      appliedIndex: this.#appliedIndex,
    });
  }

  #take(output: Output): void {
    switch (output.type) {
      case 'persistReq':
        this.#unflushed.push(output);
        this.#written = persisted(this.#written, output);
        break;
      case 'readLogReq':
        this.#logReads.push({
          seq: output.seq,
          batches: output.from <= startOf(this.#written) ? 'compacted' : batchesFrom(this.#written, output),
        });
        break;
      case 'compactLogReq':
        this.#unflushed.push(output);
        this.#written = compacted(this.#written, output, this.#options.configurations);
        break;
      case 'installSnapshotReq':
        this.#unflushed.push(output);
        this.#lane.push(output);
        break;
      case 'takeSnapshotReq':
        this.#lane.push(output);
        break;
      case 'sendSnapshotReq':
        this.#send(output);
        break;
      case 'applyReq':
        expectThat(
          output.through <= lastIndexOf(this.#written),
          () => `applyReq through ${output.through} comes before the persistReq that writes it`,
        );
        this.#lane.push({ request: output, persistSeq: this.#lastPersistSeq() });
        break;
      case 'readStateMachineReq':
        this.#lane.push(output);
        break;
      default:
        break; // Not for this node's disk or machine.
    }
  }

  #query({ id, index: readIndex }: ReadStateMachineReq): Input {
    expectThat(
      this.#appliedIndex >= readIndex,
      () => `read ${id} of index ${readIndex} is asked when ${this.#appliedIndex} is applied`,
    );
    return { type: 'readStateMachineRes', id, payload: encodeText(String(this.#appliedIndex)) };
  }

  #applyThrough(through: Index): void {
    for (const batch of batchesFrom(this.#written, {
      from: index(this.#appliedIndex + 1),
      maxBytes: 2 ** 52,
    })) {
      if (batch.index > through) break;
      commandsOf(batch).forEach((command, at) => {
        const place = index(batch.index + at);
        if (place > this.#appliedIndex && place <= through) this.#applied.push({ index: place, command });
      });
      this.#appliedIndex = index(Math.min(lastOf(batch), through));
    }
  }

  #lastPersistSeq(): Seq {
    return this.#unflushed.findLast((request) => request.type === 'persistReq')?.seq ?? 0;
  }

  /** The machine shares the log's transactions: through `index`, with every disk request before its `applyReq`. */
  #flushMachine(seq: Seq): void {
    const isFlushed = ({ persistSeq }: { readonly persistSeq: Seq }) => persistSeq <= seq;
    const flushed = this.#unflushedApplies.filter(isFlushed).at(-1);
    if (flushed === undefined) return;
    this.#unflushedApplies = this.#unflushedApplies.filter((apply) => !isFlushed(apply));
    const appliedIndex = batchEndAtOrBefore(this.#durable, flushed.index);
    if (appliedIndex <= this.#durable.appliedIndex) return;
    this.#keep({ appliedIndex, applied: this.#appliedThrough(appliedIndex) });
  }

  #keep(machine: MachineData): void {
    this.#durable = withMachine(this.#durable, machine);
    this.#written = withMachine(this.#written, machine);
  }

  #appliedThrough(through: Index): readonly Applied[] {
    let count = this.#applied.length;
    while (count > 0 && (this.#applied[count - 1] as Applied).index > through) count -= 1;
    return this.#applied.slice(0, count);
  }

  /** The machine at the end of the last batch that it applied whole. */
  #viewNow(): View {
    const disk = this.#written;
    const batch = lastBatchThrough(disk, this.#appliedIndex);
    const at = batch === undefined ? startOf(disk) : lastOf(batch);
    const logTimeMs = batch?.logTimeMs ?? disk.start?.logTimeMs ?? 0;
    return { index: at, logTimeMs, applied: this.#appliedThrough(at) };
  }

  #send({ seq, to, from }: SendSnapshotReq): void {
    const view = this.#viewNow();
    expectThat(view.index >= from, () => `a snapshot from ${from} is asked for, ${view.index} is applied`);
    const transferId = `${this.self.storeId}-${this.#boot}-${seq}`;
    this.#shipments.push({ seq, to, view, transferId });
  }

  #install(request: InstallSnapshotReq): Input {
    const { seq, transferId, snapshot, keepsSuffix } = request;
    const view = this.#staged.get(transferId);
    if (view === undefined) return { type: 'installSnapshotRes', seq, isInstalled: false };
    const held = this.#written.batches.find((batch) => lastOf(batch) === snapshot.index);
    expectThat(
      snapshot.index === view.index && snapshot.index > this.#appliedIndex,
      () => `the snapshot of ${snapshot.index} is installed over ${this.#appliedIndex}, from ${view.index}`,
    );
    expectThat(
      keepsSuffix === (held?.term === snapshot.term),
      () => `the log after the snapshot of ${snapshot.index} is treated wrongly`,
    );
    this.#durable = switched(this.#durable, request, view.applied);
    this.#written = switched(this.#written, request, view.applied);
    this.#applied = [...view.applied];
    this.#appliedIndex = view.index;
    this.#unflushedApplies = [];
    this.#staged.clear();
    return { type: 'installSnapshotRes', seq, isInstalled: true };
  }
}

function isInstall(work: MachineWork): work is InstallSnapshotReq {
  return 'type' in work && work.type === 'installSnapshotReq';
}

/** Durable applied indexes fall on batch ends (design §6). */
function batchEndAtOrBefore(disk: Disk, at: Index): Index {
  const batch = lastBatchThrough(disk, at);
  return batch === undefined ? startOf(disk) : lastOf(batch);
}
