import type { NodeStatus } from 'rxraft';
import type { LoadOrders } from '../load/closed-loop.ts';
import type { LoadFigures, LoadShape } from './load.ts';

/** How a node of a benchmark is put together: the first message that its process gets. */
export interface BenchNodeOptions {
  readonly id: string;
  readonly path: string;
  readonly port: number;
  readonly members: readonly { readonly id: string; readonly url: string }[];
  /** Default: as the library has it. */
  readonly snapshotEntries?: number;
  /** Default: as the library has it. */
  readonly snapshotBytes?: number;
  readonly shape: LoadShape;
}

/** How far a follower's election timer went, at worst. */
export interface TimerFigures {
  readonly elapsedMs: number;
  readonly timeoutMs: number;
}

/** How much later than asked for the event loop turned to a timer. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The memory of a process, in bytes. */
export interface MemoryFigures {
  /** Everything resident; the pages of the store's file that it has read are among it, and are given back on demand. */
  readonly resident: number;
  /** What is the process's own: the heap, buffers, stacks. */
  readonly own: number;
}

/** What a node of a benchmark can be told to do, and what it answers. */
export interface Orders extends LoadOrders {
  status(): NodeStatus;
  /** The highest figures since the last call; watched from the first one on. */
  memory(): MemoryFigures;
  /** The state in which the election timer was nearest to its end while this node followed a leader, since the last call; watched from the first one on. */
  timer(): TimerFigures;
  flood(count: number, outstanding: number): Promise<number>;
  begin(perSecond: number): void;
  openWindow(): void;
  window(): LoadFigures;
  end(): Promise<void>;
  /** How late the event loop was since the last call; looks at it from the first call on, which tells nothing. */
  loopDelay(): LoopDelay;
  snapshot(): Promise<void>;
  transfer(to: string): Promise<void>;
  close(): Promise<void>;
}
