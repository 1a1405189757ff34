import type { EntryBatch, Index, NodeId } from '../core/index.ts';
import { gapProblem } from './damage.ts';
import { StorageError } from './errors.ts';
import type { MachineBase } from './machine-overlay.ts';
import type { FrozenMachine, Kept, Medium, Opened, Transaction } from './medium.ts';
import { type DiskSession, type MemoryDisk, memoryDisk } from './memory-disk.ts';
import { applyTransaction, batchAt, freezeMachine, generationsToSweep, machineOf } from './memory-image.ts';
import { otherNode } from './other-node.ts';
import { piecesOf } from './staged-value.ts';
import type { Storage } from './storage.ts';
import { Store } from './store.ts';

/** Options of {@link memoryStorage}. */
export interface MemoryStorageOptions {
  /** Default: a disk of its own, which keeps the data as long as the storage object is kept. */
  readonly disk?: MemoryDisk;
  /** The node that the store belongs to; a store of another node is refused. Default: not checked. */
  readonly nodeId?: NodeId;
}

/**
 * A storage in memory that behaves like a disk: a write is durable some time after it was made, the kill of a
 * process leaves what was written, and a power loss drops what was not flushed. Runs in a browser.
 *
 * @example
 * const disk = memoryDisk();
 * const before = memoryStorage({ disk });
 * await before.open();
 * disk.losePower();
 * const loaded = await memoryStorage({ disk }).open(); // What was flushed.
 */
export function memoryStorage({ disk = memoryDisk(), nodeId }: MemoryStorageOptions = {}): Storage {
  return new Store(new MemoryMedium(disk, nodeId ?? null));
}

class MemoryMedium implements Medium {
  readonly #disk: MemoryDisk;
  readonly #nodeId: NodeId | null;
  #session: DiskSession = { isAlive: false };

  constructor(disk: MemoryDisk, nodeId: NodeId | null) {
    this.#disk = disk;
    this.#nodeId = nodeId;
  }

  get isGone(): boolean {
    return !this.#session.isAlive;
  }

  async open(): Promise<Opened> {
    const session = this.#disk.attach();
    if (session === null) throw inUse();
    try {
      await this.#boot(session);
    } catch (error) {
      this.#disk.detach(session);
      throw error;
    }
    this.#session = session;
    const { storeId, bootCounter, founding, hardState, log, configurations, ...rest } = this.#disk.image;
    const { machine, stage, generations } = rest;
    const staged = stage === null ? 0 : piecesOf(stage);
    const lastGeneration = Math.max(machine.generation, staged, ...generations.keys());
    return { storeId, bootCounter, founding, hardState, log, configurations, machine, stage, lastGeneration };
  }

  /** The one durable write before anything counts as loaded: it flushes what a killed process left behind. */
  async #boot(session: DiskSession): Promise<void> {
    let problem: StorageError | undefined;
    await this.#disk.write(session, (image) => {
      problem = otherNode(image.nodeId, this.#nodeId) ?? gapProblem(image.machine.index, image.log);
      if (problem !== undefined) return;
      image.nodeId ??= this.#nodeId;
      image.bootCounter += 1;
    });
    if (problem !== undefined) throw problem;
  }

  write(transaction: Transaction): Promise<void> {
    return this.#disk.write(this.#session, (image) => applyTransaction(image, transaction));
  }

  isBatchStart(index: Index): boolean {
    const { batches } = this.#disk.image;
    return batches[batchAt(batches, index)]?.index === index;
  }

  *batchesFrom(from: Index): Generator<EntryBatch> {
    const { batches } = this.#disk.image;
    for (let at = batchAt(batches, from); at < batches.length; at++) yield batches[at] as EntryBatch;
  }

  machineOf(generation: number): MachineBase {
    return machineOf(this.#disk.image, generation);
  }

  freezeMachine(): FrozenMachine {
    return freezeMachine(this.#disk.image);
  }

  async sweep(kept: Kept): Promise<boolean> {
    const swept = generationsToSweep(this.#disk.image, kept);
    if (swept.length === 0) return false;
    await this.#disk.write(this.#session, ({ generations }) => {
      for (const generation of swept) generations.delete(generation);
    });
    return true;
  }

  async close(): Promise<void> {
    this.#disk.detach(this.#session);
  }
}

function inUse(): StorageError {
  return new StorageError(
    'RAFT_STORE_IN_USE',
    'another storage has this disk open. Nothing was changed. Close that one first, or kill() its process.',
  );
}
