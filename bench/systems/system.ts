import type { Usage } from '../harness/usage.ts';
import type { Operation } from '../load/client.ts';
import type { Sample } from '../load/closed-loop.ts';

/** What drives a load: the leader's own process, or clients in a process of theirs. */
export type Driver = 'embedded' | 'clients' | 'http';

/** A cluster of three nodes that is measured. */
export interface System {
  readonly name: string;
  readonly driver: Driver;
  /** What a flush is here, and whether a majority has made one before a write is answered. */
  readonly flushes: string;
  /** Why it can't be measured on this machine, and what to install; `null` if it can. */
  missing(): string | null;
  /** What it can be asked. */
  readonly operations: readonly Operation[];
  /** Starts it, in an empty folder of its own. Commands and values have so many bytes. */
  start(folder: string, bytes: number): Promise<RunningSystem>;
}

/** A cluster that runs, and what drives it. */
export interface RunningSystem {
  startLoop(operation: Operation, outstanding: number): Promise<void>;
  sample(ms: number): Promise<Sample>;
  stopLoop(): Promise<void>;
  /**
   * Of its three nodes together, without clients in a process of their own. What it costs the nodes to be asked falls
   * outside of what lies between `before` and `after`.
   */
  usage(at: 'before' | 'after'): Promise<Usage>;
  /** Ends all of its processes. */
  end(): Promise<void>;
}
