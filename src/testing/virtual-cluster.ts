import type { NodeId } from '../core/index.ts';
import { type MemoryDisk, memoryDisk } from '../storage/memory-disk.ts';
import { memoryStorage } from '../storage/memory-storage.ts';
import type { RaftNode, RaftNodeOptions } from '../streams/raft-node.ts';
import { raftNode } from '../streams/start-node.ts';
import type { StateMachine } from '../streams/state-machine.ts';
import { type MemoryNetwork, type MemoryNetworkOptions, memoryNetwork } from '../transport/memory-network.ts';
import type { MemberAddress } from '../transport/transport.ts';
import { turnScheduler } from '../transport/turn-scheduler.ts';
import { VirtualScheduler } from './virtual-scheduler.ts';

/** How a {@link VirtualCluster} is put together. */
export interface VirtualClusterOptions<Command, Result, Query, Answer> {
  /** Decides every timeout, delay and fault: the same seed and calls give the same run. */
  readonly seed: number;
  /** Makes the state machine of one start of one node. */
  readonly machine: (id: NodeId) => StateMachine<Command, Result, Query, Answer>;
  /** Default `n1`, `n2`, `n3`. */
  readonly ids?: readonly NodeId[];
  /** Milliseconds from a write to its durability. Default 1. */
  readonly flushDelayMs?: number;
  readonly network?: MemoryNetworkOptions;
  /** Options of every node, besides those that the cluster sees to. */
  readonly node?: Partial<RaftNodeOptions<Command, Result, Query, Answer>>;
}

/**
 * Whole nodes of the real runtime, in one process and in virtual time: on a network in memory and on disks in
 * memory. A second of their time takes some milliseconds, and a seed gives the same run every time.
 */
export class VirtualCluster<Command, Result, Query, Answer> {
  readonly scheduler = new VirtualScheduler();
  readonly network: MemoryNetwork;
  readonly ids: readonly NodeId[];
  readonly #options: VirtualClusterOptions<Command, Result, Query, Answer>;
  readonly #disks = new Map<NodeId, MemoryDisk>();
  readonly #nodes = new Map<NodeId, RaftNode<Command, Result, Query, Answer>>();

  constructor(options: VirtualClusterOptions<Command, Result, Query, Answer>) {
    const { seed, flushDelayMs = 1, ids = ['n1', 'n2', 'n3'] } = options;
    this.#options = options;
    this.ids = ids;
    this.network = memoryNetwork({ seed, scheduler: this.scheduler, ...options.network });
    for (const id of ids) {
      const storeId = `store-of-${id}`;
      this.#disks.set(id, memoryDisk({ scheduler: this.scheduler, flushDelayMs, storeId }));
    }
  }

  get members(): readonly MemberAddress[] {
    return this.ids.map((id) => ({ id, url: `ws://${id}.test:7100` }));
  }

  /** The disk of a node, which outlives its processes. */
  disk(id: NodeId): MemoryDisk {
    const disk = this.#disks.get(id);
    if (disk === undefined) throw new RangeError(`no node is called ${id}`);
    return disk;
  }

  /** A node that runs. */
  node(id: NodeId): RaftNode<Command, Result, Query, Answer> {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new RangeError(`${id} does not run`);
    return node;
  }

  /** The nodes that run. */
  get nodes(): readonly RaftNode<Command, Result, Query, Answer>[] {
    return [...this.#nodes.values()];
  }

  /** Starts a node on its disk. `more` goes before the cluster's own options. */
  async start(
    id: NodeId,
    more: Partial<RaftNodeOptions<Command, Result, Query, Answer>> = {},
  ): Promise<RaftNode<Command, Result, Query, Answer>> {
    const { seed, machine } = this.#options;
    const url = this.members.find((member) => member.id === id)?.url ?? '';
    const starting = raftNode({
      id,
      machine: machine(id),
      storage: memoryStorage({ disk: this.disk(id) }),
      transport: this.network.transport(url),
      members: this.members,
      seed,
      timeScheduler: this.scheduler,
      turnScheduler: this.scheduler,
      ...this.#options.node,
      ...more,
    });
    const node = await this.settle(starting);
    this.#nodes.set(id, node);
    return node;
  }

  /** Starts the nodes that do not run. */
  async startAll(): Promise<void> {
    for (const id of this.ids) if (!this.#nodes.has(id)) await this.start(id);
  }

  /** SIGKILL: the process is gone; what it had written stays, flushed or not. */
  kill(id: NodeId): void {
    this.#end(id, (disk) => disk.kill());
  }

  /** The machine loses its power: what was not flushed is gone as well. */
  losePower(id: NodeId): void {
    this.#end(id, (disk) => disk.losePower());
  }

  #end(id: NodeId, end: (disk: MemoryDisk) => void): void {
    const node = this.node(id);
    this.#nodes.delete(id);
    this.network.kill(id);
    end(this.disk(id));
    node.close({ handsOver: false }).catch(() => {}); // So that its timers end; nothing of it reaches disk or network any more.
  }

  /** Ends a node in peace. */
  async stop(id: NodeId): Promise<void> {
    const node = this.node(id);
    this.#nodes.delete(id);
    await this.settle(node.close());
  }

  /** Ends every node. */
  async close(): Promise<void> {
    for (const id of [...this.#nodes.keys()]) await this.stop(id);
  }

  /** Lets so much time pass. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.scheduler.now() + durationMs;
    do {
      await this.#advance(endMs);
    } while (this.scheduler.now() < endMs);
  }

  /** Lets time pass until something holds. Rejects if it does not within the limit, in virtual milliseconds. */
  async until(holds: () => boolean, limitMs = 30_000): Promise<void> {
    const endMs = this.scheduler.now() + limitMs;
    while (!holds()) {
      if (this.scheduler.now() >= endMs) throw new Error(`${holds} did not come true within ${limitMs} ms`);
      await this.#advance(endMs);
    }
  }

  /** Lets time pass until a promise is settled, and gives what it gives. */
  async settle<T>(promise: Promise<T>, limitMs = 30_000): Promise<T> {
    let isSettled = false;
    const note = () => {
      isSettled = true;
    };
    promise.then(note, note);
    await turn();
    await this.until(() => isSettled, limitMs);
    return promise;
  }

  /** The node that leads by its own account and that of a majority; lets time pass until there is one. */
  async leader(): Promise<RaftNode<Command, Result, Query, Answer>> {
    await this.until(() => this.#leader() !== undefined);
    return this.#leader() as RaftNode<Command, Result, Query, Answer>;
  }

  #leader(): RaftNode<Command, Result, Query, Answer> | undefined {
    return this.nodes.find((node) => {
      if (node.status().role !== 'leader') return false;
      const { term } = node.status();
      const followers = this.nodes.filter(
        (other) => other.status().leaderId === node.id && other.status().term === term,
      );
      return followers.length * 2 > this.ids.length;
    });
  }

  /** On to the next moment at which something is due; then promises have their turn. */
  async #advance(endMs: number): Promise<void> {
    this.scheduler.advanceTo(Math.min(endMs, this.scheduler.nextAtMs ?? endMs));
    await turn();
  }
}

/** Every promise that can go on has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    turnScheduler.schedule(() => resolve());
  });
}
