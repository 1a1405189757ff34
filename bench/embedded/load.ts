import { setTimeout as pause } from 'node:timers/promises';
import type { RaftNode } from 'rxraft';
import { Latencies } from '../harness/latencies.ts';
import { benchCommand } from './bench-machine.ts';

export type BenchNode = RaftNode<Uint8Array, Uint8Array, Uint8Array, Uint8Array>;

/** How the load is made up. */
export interface LoadShape {
  /** Keys that are written to, in turn. */
  readonly keys: number;
  readonly valueBytes: number;
}

/** What a load came to within a window of time. */
export interface LoadFigures {
  readonly seconds: number;
  readonly offered: number;
  readonly served: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Writes from within a node's process, so that it is the cluster that is measured and no client of it. */
export class Load {
  readonly #node: BenchNode;
  readonly #shape: LoadShape;
  #written = 0;
  #isOver = true;
  #running: Promise<void> = Promise.resolve();
  #offered = 0;
  #served = 0;
  #latencies = new Latencies();
  #windowAt = 0;

  constructor(node: BenchNode, shape: LoadShape) {
    this.#node = node;
    this.#shape = shape;
  }

  /** Writes so many commands, always so many outstanding. Resolves with the writes a second. */
  async flood(count: number, outstanding: number): Promise<number> {
    const startedAt = performance.now();
    let left = count;
    const write = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.#node.write(this.#next(), { timeoutMs: 60_000 });
      }
    };
    await Promise.all(Array.from({ length: outstanding }, write));
    return (count * 1000) / (performance.now() - startedAt);
  }

  #next(): Uint8Array {
    const { keys, valueBytes } = this.#shape;
    this.#written += 1;
    return benchCommand(this.#written % keys, valueBytes);
  }

  /** Begins to offer so many writes a second, whether the ones before have been served or not. */
  begin(perSecond: number): void {
    this.#isOver = false;
    this.openWindow();
    this.#running = this.#offer(perSecond);
  }

  async #offer(perSecond: number): Promise<void> {
    const startedAt = performance.now();
    for (let offered = 0; !this.#isOver; await pause(1)) {
      const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1000);
      this.#writeAll(due - offered);
      offered = due;
    }
  }

  /** Writes so many at once, so that one clock and one pair of functions do for all of them. */
  #writeAll(count: number): void {
    const sentAt = performance.now();
    const onServed = (): void => {
      this.#served += 1;
      this.#latencies.add(performance.now() - sentAt);
    };
    const onRefused = (): void => undefined; // Not served.
    this.#offered += count;
    for (let left = count; left > 0; left--) this.#node.write(this.#next()).then(onServed, onRefused);
  }

  /** Counts from now on. */
  openWindow(): void {
    this.#offered = 0;
    this.#served = 0;
    this.#latencies = new Latencies();
    this.#windowAt = performance.now();
  }

  /** What was counted. */
  window(): LoadFigures {
    return {
      seconds: (performance.now() - this.#windowAt) / 1000,
      offered: this.#offered,
      served: this.#served,
      medianMs: this.#latencies.percentile(50),
      p99Ms: this.#latencies.percentile(99),
    };
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }
}
