import type { NodeId, Peer, State, StoreId } from '../../core/index.ts';
import { type DiskImage, type MemoryDisk, memoryDisk } from '../../storage/memory-disk.ts';
import { memoryStorage } from '../../storage/memory-storage.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Commit, RaftNodeOptions } from '../../streams/raft-node.ts';
import { raftNode } from '../../streams/start-node.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import { type MemoryNetwork, memoryNetwork } from '../../transport/memory-network.ts';
import type { MemberAddress, PeerFrame } from '../../transport/transport.ts';
import { Dice } from '../dice.ts';
import { expectThat, InvariantViolation } from '../violation.ts';
import { VirtualScheduler } from '../virtual-scheduler.ts';
import { shown } from '../words-of.ts';
import { firstUrl } from './addresses.ts';
import { AppliedResults } from './applied-results.ts';
import { noCounts, type RunCounts } from './counts.ts';
import { imageHonesty } from './image-honesty.ts';
import { LoopTransport } from './loop-transport.ts';
import { NodeLoop } from './node-loop.ts';
import { worldOf } from './node-world.ts';
import { RunHistory } from './run-history.ts';
import { SimProcess } from './sim-process.ts';
import { StepChecks } from './step-checks.ts';
import type { Tagged } from './tagged.ts';
import { watchedMachine } from './watched-machine.ts';
import { WatchedStorage } from './watched-storage.ts';
import type { Weather } from './weather.ts';

/** What a {@link SimCluster} is made of. */
export interface SimClusterOptions<Command, Result, Query, Answer> {
  readonly seed: number;
  readonly founders: readonly NodeId[];
  readonly weather: Weather;
  readonly machine: (id: NodeId) => StateMachine<Command, Result, Query, Answer>;
  readonly node?: Partial<RaftNodeOptions<Tagged<Command>, Result, Query, Answer>> | undefined;
  /** A process has ended by itself, because its disk refused a write: somebody must start it again. */
  readonly onDiskFailure: (id: NodeId) => void;
}

/** The wall clock of a simulation begins in November 2023. */
const epochMs = 1_700_000_000_000;

/**
 * Whole nodes of the shipped runtime on a network and disks in memory, each with an event loop and a clock of its
 * own; every step is checked. What breaks a promise is kept in `failure`, and the run is to end then.
 */
export class SimCluster<Command, Result, Query, Answer> {
  readonly scheduler = new VirtualScheduler();
  readonly network: MemoryNetwork;
  readonly counts: RunCounts = noCounts();
  readonly history = new RunHistory();
  readonly results = new AppliedResults();
  readonly steps: StepChecks;
  /** Frames that nodes gave to the network, whatever became of them. */
  framesSent = 0;
  /** What machines threw when they were queried: it is an answer, and not of the node. */
  readonly queryErrors = new Set<unknown>();
  failure: unknown;
  readonly #options: SimClusterOptions<Command, Result, Query, Answer>;
  readonly #processes = new Map<NodeId, SimProcess<Command, Result, Query, Answer>>();
  readonly #disks = new Map<NodeId, MemoryDisk>();
  /** Of those that were moved. */
  readonly #urls = new Map<NodeId, string>();
  /** Of every store there ever was: what was wiped had been flushed all the same. */
  readonly #images = new Map<StoreId, DiskImage>();

  constructor(options: SimClusterOptions<Command, Result, Query, Answer>) {
    const { seed, weather } = options;
    this.#options = options;
    const { scheduler } = this;
    this.network = memoryNetwork({ seed, scheduler, ...weather.network });
    const imageOf = ({ storeId }: Peer) => this.#images.get(storeId);
    this.steps = new StepChecks({ counts: this.counts, history: this.history, imageOf });
  }

  /** The processes that run or are about to, in the order of their names. */
  get processes(): readonly SimProcess<Command, Result, Query, Answer>[] {
    return [...this.#processes.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Those that have opened their disk and belong to a cluster. */
  get running(): readonly SimProcess<Command, Result, Query, Answer>[] {
    return this.processes.filter(({ node, state }) => node !== null && state !== null);
  }

  process(id: NodeId): SimProcess<Command, Result, Query, Answer> | undefined {
    return this.#processes.get(id);
  }

  /** Who leads, by the account of the latest term. */
  get leader(): SimProcess<Command, Result, Query, Answer> | undefined {
    const leaders = this.running.filter(({ state }) => state?.role.type === 'leader');
    return leaders.sort((a, b) => (b.state?.currentTerm ?? 0) - (a.state?.currentTerm ?? 0))[0];
  }

  /** Where a node runs, or is started next. */
  urlOf(id: NodeId): string {
    return this.#urls.get(id) ?? firstUrl(id);
  }

  /** A node is reached elsewhere from its next start on; it may not run now. */
  move(id: NodeId, url: string): void {
    this.#urls.set(id, url);
  }

  /** The disk of a node, which outlives its processes. */
  disk(id: NodeId): MemoryDisk {
    return this.#disks.get(id) ?? this.replaceDisk(id);
  }

  /** An empty disk takes the place of a node's. */
  replaceDisk(id: NodeId): MemoryDisk {
    const { flushMs } = this.#options.weather;
    const scheduler = {
      schedule: (work: () => void, delayMs = 0) => {
        const { loop } = this.#processes.get(id) ?? {};
        this.scheduler.runAfter(delayMs, () => (loop === undefined ? work() : loop.run(work)));
      },
    };
    const storeId = `store-${this.#images.size + 1}-of-${id}`;
    const disk = memoryDisk({ scheduler, flushDelayMs: flushMs, storeId });
    this.#disks.set(id, disk);
    this.#images.set(storeId, disk.image);
    return disk;
  }

  /** Starts a node on its disk; a node that joins declares no members. */
  start(id: NodeId, { isJoining = false }: { readonly isJoining?: boolean } = {}): void {
    const disk = this.disk(id);
    const loop = new NodeLoop(this.scheduler);
    const storage = memoryStorage({ disk, nodeId: id });
    const process = new SimProcess({
      id,
      loop,
      disk,
      machine: this.#options.machine(id),
      store: storage.machineStore,
    });
    if (process.machine.keeps === 'own') throw new TypeError(ownProblem);
    this.#processes.set(id, process);
    this.history.forget(id);
    this.counts.starts += 1;
    raftNode(this.#nodeOptions(process, { storage, members: isJoining ? [] : this.#declared() })).then(
      (node) => {
        process.node = node;
        process.subscription.add(node.state$.subscribe((state) => this.#onStep(process, state)));
        process.subscription.add(node.commits$.subscribe((commit) => this.#onCommit(process, commit)));
        node.closed.catch((error) => this.#onEnd(process, error));
      },
      (error) => this.#onEnd(process, error),
    );
  }

  /** As at the founding: who moved is found by what the nodes have stored. */
  #declared(): readonly MemberAddress[] {
    return this.#options.founders.map((id) => ({ id, url: firstUrl(id) }));
  }

  #nodeOptions(
    process: SimProcess<Command, Result, Query, Answer>,
    { storage, members }: { readonly storage: Storage; readonly members: readonly MemberAddress[] },
  ): RaftNodeOptions<Tagged<Command>, Result, Query, Answer> {
    const { id, loop, disk } = process;
    const { weather, seed, node } = this.#options;
    const transport = this.network.transport(this.urlOf(id));
    process.subscription.add(() => void transport.close()); // Also of one that had not opened it yet.
    return {
      id,
      members,
      machine: this.#watched(process),
      storage: new WatchedStorage(storage, disk, (batch, prevTerm) =>
        this.#guarded(process, () => this.history.onWrite(id, batch, prevTerm)),
      ),
      transport: new LoopTransport(transport, loop, (to, frame) => this.#onSend(process, to, frame)),
      seed: seed + disk.image.bootCounter,
      timeScheduler: loop,
      turnScheduler: loop,
      ...weather.node,
      ...node,
    };
  }

  #watched(process: SimProcess<Command, Result, Query, Answer>) {
    const { id, machine, loop } = process;
    const dice = new Dice(this.#options.seed * 31 + this.counts.starts);
    const skewMs = dice.below(1000);
    const inWorld = worldOf({
      nowMs: () => epochMs + skewMs + loop.now(),
      random: () => dice.below(1 << 30) / (1 << 30),
    });
    return watchedMachine(machine, {
      id,
      results: this.results,
      inWorld,
      queryErrors: this.queryErrors,
      isAlive: () => process.isAlive,
      onApplied: (index) => process.commits.applied(index),
      onViolation: (error) => this.fail(error),
    });
  }

  #onStep(process: SimProcess<Command, Result, Query, Answer>, state: State): void {
    this.#guarded(process, () => {
      const before = process.state;
      process.state = state;
      this.steps.check({ before, state, nowMs: this.scheduler.now() });
    });
  }

  /** Who follows `commits$` sees each command once, in order, and the one that was applied. */
  #onCommit(
    process: SimProcess<Command, Result, Query, Answer>,
    { index, command }: Commit<Tagged<Command>>,
  ): void {
    this.#guarded(process, () => {
      const { id, commits } = process;
      commits.shown(index);
      const applied = this.results.at(index);
      expectThat(
        applied?.request === command.request,
        () =>
          `commits$ of ${id} shows ${shown(command.command)} at ${index}, applied is ${shown(applied?.command)}`,
      );
    });
  }

  #onSend(process: SimProcess<Command, Result, Query, Answer>, to: Peer, frame: PeerFrame): void {
    const { state, disk } = process;
    this.framesSent += 1;
    if (frame.type !== 'raft' || state === null) return;
    this.#guarded(process, () => imageHonesty.checkSent(frame.message, to, { state, disk: disk.image }));
  }

  #guarded(process: SimProcess<Command, Result, Query, Answer>, check: () => void): void {
    if (process.isAlive) this.guard(check);
  }

  /** Makes a check, which may fail the run. */
  guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error);
    }
  }

  /** A promise is broken: the first counts. */
  fail(error: unknown): void {
    this.failure ??= error;
  }

  /** A node has stopped by itself, or never started. */
  #onEnd(process: SimProcess<Command, Result, Query, Answer>, error: unknown): void {
    if (!process.isAlive) return;
    this.end(process.id, (disk) => disk.kill());
    if (String((error as Error)?.message ?? error).includes('simulated I/O error'))
      this.#options.onDiskFailure(process.id);
    else this.fail(new InvariantViolation(`${process.id} has stopped: ${shown(error)}`));
  }

  /** Ends a process; `end` says what becomes of what it wrote. Nothing of it reaches disk or network any more. */
  end(id: NodeId, end: (disk: MemoryDisk) => void): void {
    const process = this.#processes.get(id);
    if (process === undefined) return;
    this.#processes.delete(id);
    process.isAlive = false;
    process.subscription.unsubscribe();
    process.loop.end();
    this.network.kill(id);
    end(process.disk);
    process.node?.close({ handsOver: false }).catch(() => {});
  }

  /** Ends every process, and with it the run. */
  close(): void {
    for (const { id } of this.processes) this.end(id, (disk) => disk.kill());
  }
}

const ownProblem =
  "a machine that keeps its data in 'own' can't be simulated: the simulator could not take from its storage what was " +
  "not flushed. Let it keep them in 'store', or test that storage by itself";
