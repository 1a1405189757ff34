import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import type { NodeId } from '../core/index.ts';
import type { BackoffLimits } from './backoff.ts';
import { defaultBackoff } from './backoff.ts';
import type { MemoryConnection } from './memory-connection.ts';
import { MemoryTransport } from './memory-transport.ts';
import { type Random, randomSeed, seededRandom } from './random.ts';
import type { Transport } from './transport.ts';

/** What goes wrong on the way. Probabilities are from 0 to 1 and apply to each frame. */
export interface NetworkFaults {
  /** The shortest time on the way, in milliseconds. Default 1. */
  readonly delayMsMin: number;
  /** The longest time on the way, in milliseconds. Default 2. */
  readonly delayMsMax: number;
  /** Of a frame to be lost while its connection stays open. Default 0. */
  readonly lossProbability: number;
  /** Of a frame to arrive twice. Default 0. */
  readonly duplicateProbability: number;
  /** Of a frame to be overtaken by those sent after it. Default 0. */
  readonly reorderProbability: number;
}

/** How a network in memory behaves. */
export interface MemoryNetworkOptions extends Partial<BackoffLimits> {
  /** Decides every delay and fault: the same seed and calls give the same run. Default: drawn at random. */
  readonly seed?: number;
  /** Gives time and order. Default `asyncScheduler`; a `VirtualTimeScheduler` makes runs repeatable. */
  readonly scheduler?: SchedulerLike;
  /** Faults from the start. */
  readonly faults?: Partial<NetworkFaults>;
  /** Milliseconds until both ends of a connection that is cut notice. Default 5,000, as over WebSockets. */
  readonly noticeMs?: number;
  /** Frames on their way to one peer; beyond it `send` drops. Default 10,000. */
  readonly inFlightFramesMax?: number;
  /**
   * While fewer bytes of snapshots and of large results than this are on their way to a peer, `send` takes another piece. Default
   * 512 KiB, as over WebSockets.
   */
  readonly inFlightSnapshotBytesMax?: number;
  /**
   * Whether frames go through their byte form, as over WebSockets. Default `false`: the receiver gets the very
   * objects that were sent, which nobody may change.
   */
  readonly encode?: boolean;
}

/** How many frames met which fault so far. */
export interface NetworkCounts {
  readonly lost: number;
  readonly doubled: number;
  readonly overtaken: number;
  /** Sent into a cut. */
  readonly cut: number;
}

/** A network in memory, for tests, the simulator and a page in a browser. */
export interface MemoryNetwork {
  /** The network of one node, reached at `url`, which may be any `ws:` URL that no open transport has. */
  transport(url: string): Transport;
  /**
   * Nodes in different groups can't reach each other from now on; frames on their way are lost. Nodes that
   * no group names reach everyone. Earlier cuts are healed first.
   */
  partition(groups: readonly (readonly NodeId[])[]): void;
  /** What `from` sends no longer reaches `to`. Frames of the other direction still do until an end notices. */
  cut(from: NodeId, to: NodeId): void;
  /** Ends every partition and cut. Connections that closed come back by themselves. */
  heal(): void;
  /** Ends a node's transport as a killed process does: no more events on its side; peers see it close. */
  kill(id: NodeId): void;
  /** Changes some of the faults, for frames sent from now on. */
  setFaults(faults: Partial<NetworkFaults>): void;
  /** What the faults and cuts did to frames so far. */
  readonly counts: NetworkCounts;
}

/** Makes a network in memory. */
export function memoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  return new Network(options);
}

/** A network that loses nothing. */
export const noFaults: NetworkFaults = {
  delayMsMin: 1,
  delayMsMax: 2,
  lossProbability: 0,
  duplicateProbability: 0,
  reorderProbability: 0,
};

/** What the transports of one network share. */
export class Network implements MemoryNetwork {
  readonly random: Random;
  readonly scheduler: SchedulerLike;
  readonly backoff: BackoffLimits;
  readonly noticeMs: number;
  readonly inFlightFramesMax: number;
  readonly inFlightSnapshotBytesMax: number;
  readonly isEncoding: boolean;
  faults: NetworkFaults;
  readonly counts = { lost: 0, doubled: 0, overtaken: 0, cut: 0 };
  private readonly open = new Map<string, MemoryTransport>();
  private readonly connections = new Set<MemoryConnection>();
  /** From "from to" to the number of the cut: an old notice must not close what was healed and cut anew. */
  private readonly cuts = new Map<string, number>();
  private cutCount = 0;

  constructor(options: MemoryNetworkOptions) {
    this.random = seededRandom(options.seed ?? randomSeed());
    this.scheduler = options.scheduler ?? asyncScheduler;
    this.backoff = {
      backoffMsMin: options.backoffMsMin ?? defaultBackoff.backoffMsMin,
      backoffMsMax: options.backoffMsMax ?? defaultBackoff.backoffMsMax,
    };
    this.noticeMs = options.noticeMs ?? 5_000;
    this.inFlightFramesMax = options.inFlightFramesMax ?? 10_000;
    this.inFlightSnapshotBytesMax = options.inFlightSnapshotBytesMax ?? 512 * 1024;
    this.isEncoding = options.encode ?? false;
    this.faults = { ...noFaults, ...options.faults };
  }

  transport(url: string): Transport {
    return new MemoryTransport(url, this);
  }

  partition(groups: readonly (readonly NodeId[])[]): void {
    this.heal();
    for (const group of groups) {
      const others = groups.filter((other) => other !== group).flat();
      for (const from of group) for (const to of others) this.cut(from, to);
    }
  }

  cut(from: NodeId, to: NodeId): void {
    const key = keyOf(from, to);
    const number = ++this.cutCount;
    this.cuts.set(key, number);
    this.after(this.noticeMs, () => {
      if (this.cuts.get(key) === number) this.breakBetween(from, to);
    });
  }

  heal(): void {
    this.cuts.clear();
  }

  kill(id: NodeId): void {
    for (const transport of this.open.values()) if (transport.id === id) transport.end();
  }

  setFaults(faults: Partial<NetworkFaults>): void {
    this.faults = { ...this.faults, ...faults };
  }

  /** Runs `work` later, on the scheduler. */
  after(delayMs: number, work: () => void): Subscription {
    return this.scheduler.schedule(work, delayMs);
  }

  /** Milliseconds for one way, drawn anew. */
  delayMs(): number {
    const { delayMsMin, delayMsMax } = this.faults;
    return delayMsMin + Math.floor(this.random() * (delayMsMax - delayMsMin + 1));
  }

  /** Draws whether something with this probability happens. */
  happens(probability: number): boolean {
    return probability > 0 && this.random() < probability;
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.cuts.has(keyOf(from, to));
  }

  /** Whether two nodes can talk with each other, which a handshake needs. */
  isReachable(a: NodeId, b: NodeId): boolean {
    return !this.isCut(a, b) && !this.isCut(b, a);
  }

  at(url: string): MemoryTransport | undefined {
    return this.open.get(url);
  }

  /** Gives a transport its address; `false` if another one has it. */
  claim(url: string, transport: MemoryTransport): boolean {
    if (this.open.has(url)) return false;
    this.open.set(url, transport);
    return true;
  }

  release(url: string): void {
    this.open.delete(url);
  }

  add(connection: MemoryConnection): void {
    this.connections.add(connection);
  }

  remove(connection: MemoryConnection): void {
    this.connections.delete(connection);
  }

  private breakBetween(a: NodeId, b: NodeId): void {
    for (const connection of [...this.connections]) if (connection.joins(a, b)) connection.break();
  }
}

function keyOf(from: NodeId, to: NodeId): string {
  return `${from} ${to}`;
}
