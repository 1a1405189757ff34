import {
  type ConfigurationAt,
  type EntryBatch,
  emptyLog,
  type HardState,
  type LogIndex,
  type NodeId,
  type StoreId,
  term0,
} from '../core/index.ts';
import type { KeyMap } from './key-map.ts';
import { emptyMachine, type MachineState } from './machine-overlay.ts';
import type { StageState } from './medium.ts';
import type { Founding } from './storage.ts';
import { newStoreId } from './store-id.ts';

/**
 * Runs work later. An RxJS `SchedulerLike` is one, so that virtual time drives the disk as well; with a delay
 * of 0 it decides itself what "later" is.
 */
export interface FlushScheduler {
  /** Runs `work` once, never before this call returns. The result is not used. */
  schedule(work: () => void, delayMs?: number): unknown;
}

/** Options of {@link memoryDisk}. */
export interface MemoryDiskOptions {
  /** When flushes end. Default: timers, or the end of the event-loop turn where there is no delay. */
  readonly scheduler?: FlushScheduler;
  /** From a write to its durability, in milliseconds. Default 0: as soon as the scheduler can. */
  readonly flushDelayMs?: number;
  /** The name of the store on it. Default: random. Give one where runs are to be repeatable. */
  readonly storeId?: StoreId;
}

/** What is to happen to one write. */
export type WriteFault =
  /** It is refused with an I/O error and leaves nothing behind. */
  | { readonly type: 'fail' }
  /** It takes so many milliseconds longer. */
  | { readonly type: 'delay'; readonly delayMs: number }
  /** It does not come back until {@link MemoryDisk.release}. */
  | { readonly type: 'hang' };

/** What is on the disk. */
export interface DiskImage {
  readonly storeId: StoreId;
  nodeId: NodeId | null;
  bootCounter: number;
  founding: Founding | null;
  configurations: readonly ConfigurationAt[];
  hardState: HardState;
  log: LogIndex;
  readonly batches: EntryBatch[];
  /** The state machine's data, by generation. */
  readonly generations: Map<number, KeyMap<Uint8Array>>;
  machine: MachineState;
  stage: StageState | null;
}

/** A process that has the disk open. A kill or a power loss ends it, and nothing reaches it any more. */
export interface DiskSession {
  isAlive: boolean;
}

/** One write that is on its way, and what it does to the image. */
interface Unflushed {
  readonly apply: (image: DiskImage) => void;
}

/**
 * A disk in memory. Writes become durable some time after they are made, in order. It outlives the storages
 * opened on it, as a disk outlives processes.
 */
export class MemoryDisk {
  readonly #scheduler: FlushScheduler;
  readonly #flushDelayMs: number;
  readonly #image: DiskImage;
  readonly #faults: (WriteFault | undefined)[] = [];
  /** Writes that met a planned fault so far. @internal */
  readonly faultCounts = { fail: 0, delay: 0, hang: 0 };
  #session: DiskSession | null = null;
  /** Written and not flushed: what a new process finds, and a power loss drops. */
  #unflushed: Unflushed[] = [];
  #hanging: (() => void)[] = [];

  constructor({ scheduler = turns, flushDelayMs = 0, storeId = newStoreId() }: MemoryDiskOptions) {
    this.#scheduler = scheduler;
    this.#flushDelayMs = flushDelayMs;
    this.#image = {
      storeId,
      nodeId: null,
      bootCounter: 0,
      founding: null,
      configurations: [],
      hardState: { currentTerm: term0, votedFor: null },
      log: emptyLog,
      batches: [],
      generations: new Map(),
      machine: emptyMachine,
      stage: null,
    };
  }

  /**
   * The process dies (SIGKILL): a storage that is open on this disk never settles a promise again and writes
   * nothing more. What it had written stays, flushed or not.
   */
  kill(): void {
    if (this.#session !== null) this.#session.isAlive = false;
    this.#session = null;
    this.#hanging = [];
  }

  /**
   * The machine loses power: as {@link MemoryDisk.kill}, and what was not flushed is gone. A transaction is
   * there whole or not at all.
   *
   * @param options - `keepsUnflushed`: the flush was just through when the power went. Default false.
   */
  losePower({ keepsUnflushed = false }: { readonly keepsUnflushed?: boolean } = {}): void {
    this.kill();
    if (keepsUnflushed) this.#flush(this.#unflushed.length);
    this.#unflushed = [];
  }

  /**
   * Plans what happens to a write.
   *
   * @param nth - which one from now on: 1, the default, is the next.
   */
  plan(fault: WriteFault, nth = 1): void {
    this.#faults[nth - 1] = fault;
  }

  /** Lets the writes that hang come back. */
  release(): void {
    const hanging = this.#hanging;
    this.#hanging = [];
    for (const finish of hanging) finish();
  }

  /** Writes that are not durable yet. */
  get unflushedCount(): number {
    return this.#unflushed.length;
  }

  /** What is durable. @internal */
  get image(): DiskImage {
    return this.#image;
  }

  /** Begins a session; `null` if there is one. @internal */
  attach(): DiskSession | null {
    if (this.#session !== null) return null;
    this.#session = { isAlive: true };
    return this.#session;
  }

  /** Ends a session in peace. @internal */
  detach(session: DiskSession): void {
    session.isAlive = false;
    if (this.#session === session) this.#session = null;
  }

  /** Resolves when the write and those before it are durable; never, if the session ends first. @internal */
  write(session: DiskSession, apply: (image: DiskImage) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!session.isAlive) return;
      const fault = this.#faults.shift();
      if (fault !== undefined && !isNothing(fault)) this.faultCounts[fault.type] += 1;
      const delayMs = this.#flushDelayMs + (fault?.type === 'delay' ? fault.delayMs : 0);
      if (fault?.type === 'fail') {
        const fail = () => session.isAlive && reject(new Error('simulated I/O error'));
        this.#scheduler.schedule(fail, delayMs);
        return;
      }
      const written: Unflushed = { apply };
      this.#unflushed.push(written);
      const finish = () => {
        if (!session.isAlive) return;
        this.#flush(this.#unflushed.indexOf(written) + 1);
        resolve();
      };
      if (fault?.type === 'hang') this.#hanging.push(finish);
      else this.#scheduler.schedule(finish, delayMs);
    });
  }

  #flush(count: number): void {
    for (const { apply } of this.#unflushed.splice(0, count)) apply(this.#image);
  }
}

/** It takes back what was planned before. */
function isNothing(fault: WriteFault): boolean {
  return fault.type === 'delay' && fault.delayMs === 0;
}

/** A disk in memory; give it to `memoryStorage`, and again after a kill. */
export function memoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  return new MemoryDisk(options);
}

const turns: FlushScheduler = {
  schedule: (work, delayMs = 0) =>
    delayMs === 0 && typeof setImmediate === 'function' ? setImmediate(work) : setTimeout(work, delayMs),
};
