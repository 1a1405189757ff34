import {
  type Input,
  type InstallSnapshotReq,
  index,
  index0,
  type Output,
  type Peer,
  type SendSnapshotReq,
  type Seq,
} from '../core/index.ts';
import type { BareDisk } from './bare-disk.ts';
import { type Apply, BareLanes } from './bare-lanes.ts';
import { BareMachine } from './bare-machine.ts';
import { BareSnapshots } from './bare-snapshots.ts';
import { lastIndexOf, startOf } from './disk.ts';
import { encodeText } from './text.ts';
import { expectThat } from './violation.ts';

/** Whose process it is, and what it works on. */
export interface BareProcessOptions {
  readonly self: Peer;
  /** Outlives the process. */
  readonly disk: BareDisk;
  /** Whether the machine's data are in the log's transactions. Otherwise they are its snapshots. */
  readonly isMachineDurable: boolean;
}

/**
 * One process of a bare node: carries out what a core asks of its disk and its machine, one piece of work at a time, when
 * it is told to. All that it holds beside the disk is gone when it dies; the next one begins with nothing.
 */
export class BareProcess {
  readonly lanes = new BareLanes();
  readonly machine = new BareMachine();
  readonly snapshots = new BareSnapshots();
  readonly #self: Peer;
  readonly #disk: BareDisk;
  readonly #isMachineDurable: boolean;
  #boot = 0;
  /** What the disk has completed, on its way to the core. */
  readonly #unheard: Input[] = [];

  constructor({ self, disk, isMachineDurable }: BareProcessOptions) {
    this.#self = self;
    this.#disk = disk;
    this.#isMachineDurable = isMachineDurable;
  }

  /** How many completions of the log lane the core was not told of. */
  get unheard(): number {
    return this.#unheard.length;
  }

  /** Whether the oldest snapshot taken can be durable: with every disk request before it (design §6). */
  get canKeepView(): boolean {
    const oldest = this.snapshots.taken[0];
    return oldest !== undefined && this.lanes.hasPersisted(oldest.persistSeq);
  }

  /**
   * The machine goes on from what the disk holds of it. `boot` tells this process from earlier ones on the same store.
   * Throws if the log does not go on from there.
   */
  start(boot: number): void {
    const { durable } = this.#disk;
    expectThat(
      durable.appliedIndex >= startOf(durable) && durable.appliedIndex <= lastIndexOf(durable),
      () => `${this.#self.id} starts with ${durable.appliedIndex} applied, which its log does not go on from`,
    );
    this.#boot = boot;
    this.machine.load(durable);
  }

  /** A request joins its lane, or is noted where it waits outside the lanes. Outputs of other kinds are let pass. */
  take(output: Output): void {
    switch (output.type) {
      case 'persistReq':
      case 'compactLogReq':
        this.lanes.add(output);
        this.#disk.write(output);
        break;
      case 'readLogReq':
        this.#disk.read(output);
        break;
      case 'sendSnapshotReq':
        this.#send(output);
        break;
      case 'applyReq':
        expectThat(
          output.through <= lastIndexOf(this.#disk.written),
          () => `applyReq through ${output.through} comes before the persistReq that writes it`,
        );
        this.lanes.add(output);
        break;
      case 'readStateMachineReq':
      case 'takeSnapshotReq':
      case 'installSnapshotReq':
        this.lanes.add(output);
        break;
      default:
        break; // Not for this node's disk or machine.
    }
  }

  /**
   * Carries out the oldest `count` requests of the log lane, as far as no switch to a snapshot waits for the
   * machine lane. The completions are returned: of several flushes, that of the last.
   */
  sync(count = this.lanes.log.length): readonly Input[] {
    const completions: Input[] = [];
    let flushed: Seq = 0;
    for (let done = 0; done < count; done++) {
      const request = this.lanes.nextOfLog;
      if (request === undefined) break;
      this.lanes.finish(request);
      if (request.type === 'installSnapshotReq') {
        completions.push(this.#install(request));
        continue;
      }
      this.#disk.flush(request);
      if (request.type === 'persistReq') flushed = request.seq;
      else completions.push({ type: 'compactLogRes', seq: request.seq });
    }
    if (flushed === 0) return completions;
    if (this.#isMachineDurable) this.#flushMachine(flushed);
    return [{ type: 'persistRes', seq: flushed }, ...completions];
  }

  /** Carries out requests of the log lane as {@link BareProcess.sync} does, but the core is not told yet. */
  syncUnheard(count?: number): void {
    this.#unheard.push(...this.sync(count));
  }

  /** The oldest completion that the core was not told of. */
  hear(): Input | undefined {
    return this.#unheard.shift();
  }

  /**
   * Carries out the oldest request of the machine lane, of an `applyReq` at most `count` entries. Its
   * completion is returned; a snapshot's comes later, from {@link BareProcess.keepView}.
   */
  runMachine(count = Number.POSITIVE_INFINITY): Input | undefined {
    const next = this.lanes.nextOfMachine;
    if (next === undefined) return undefined;
    if (next.type === 'apply') return this.#apply(next, count);
    this.lanes.finish(next);
    switch (next.type) {
      case 'readStateMachineReq':
        return { type: 'readStateMachineRes', id: next.id, payload: encodeText(this.machine.query(next)) };
      case 'takeSnapshotReq': {
        const view = this.machine.view(this.#disk.written);
        this.snapshots.take({ seq: next.seq, view, persistSeq: this.lanes.lastPersistSeq });
        return undefined;
      }
      case 'installSnapshotReq':
        return this.#install(next);
    }
  }

  /** The oldest snapshot taken is durable. A machine whose durable state is one already says how far that is. */
  keepView(): Input | undefined {
    const taken = this.canKeepView ? this.snapshots.keep() : undefined;
    if (taken === undefined) return undefined;
    const { seq, view } = taken;
    const isNews = !this.#isMachineDurable && view.index > this.#disk.durable.appliedIndex;
    if (isNews) this.#disk.keep({ appliedIndex: view.index, applied: view.applied });
    return { type: 'takeSnapshotRes', seq, index: this.#disk.durable.appliedIndex };
  }

  #apply(next: Apply, count: number): Input {
    const { seq, through } = next.request;
    const target = index(Math.min(through, this.machine.appliedIndex + count));
    if (target === through) this.lanes.finish(next);
    this.machine.apply({ index: target, persistSeq: next.persistSeq }, this.#disk.written);
    return { type: 'applyRes', seq, appliedIndex: this.machine.appliedIndex, durableIndex: index0 };
  }

  /** The machine shares the log's transactions: here that of the log through a request. */
  #flushMachine(seq: Seq): void {
    const flushed = this.machine.flushWith(seq, this.#disk.durable);
    if (flushed !== undefined) this.#disk.keep(flushed);
  }

  #send({ seq, to, from }: SendSnapshotReq): void {
    const view = this.machine.view(this.#disk.written);
    expectThat(view.index >= from, () => `a snapshot from ${from} is asked for, ${view.index} is applied`);
    const transferId = `${this.#self.storeId}-${this.#boot}-${seq}`;
    this.snapshots.send({ seq, to, view, transferId });
  }

  /** Machine and disk switch to a snapshot at once, if all of it is here. */
  #install(request: InstallSnapshotReq): Input {
    const { seq, transferId, snapshot } = request;
    const view = this.snapshots.staged(transferId);
    if (view === undefined) return { type: 'installSnapshotRes', seq, isInstalled: false };
    this.machine.install(view, snapshot.index);
    this.#disk.switchTo(request, view.applied);
    this.snapshots.discardStaged();
    return { type: 'installSnapshotRes', seq, isInstalled: true };
  }
}
