import { StorageError } from './errors.ts';
import type { StageState, Transaction } from './medium.ts';
import { decodeChunk } from './snapshot-chunk.ts';
import type { SnapshotChunk, SnapshotStage } from './storage.ts';

/** What {@link Staging} works with. */
export interface StagingOptions {
  /** Throws if the store is not open, or has failed. */
  readonly check: () => void;
  readonly write: (transaction: Transaction) => Promise<void>;
  /** A generation of which there are no data. */
  readonly newGeneration: () => number;
  /** Data of a stage are needed no more. */
  readonly onDropped: () => void;
}

/**
 * The snapshot that is on its way in: one at a time, under a generation of its own. Everything about it is
 * done in the order it was asked for, each step one transaction; the log's writes go on meanwhile.
 */
export class Staging {
  readonly #options: StagingOptions;
  #state: StageState | null = null;
  #lane: Promise<unknown> = Promise.resolve();

  constructor(options: StagingOptions) {
    this.#options = options;
  }

  /** What is staged, durably. */
  get state(): StageState | null {
    return this.#state;
  }

  /** Begins anew with what the medium holds. */
  restore(state: StageState | null): void {
    this.#state = state;
  }

  /** Begins a transfer, or goes on with it. */
  begin(transferId: string): Promise<SnapshotStage> {
    return this.exclusively(async () => {
      if (this.#state?.transferId !== transferId) await this.#replace(transferId);
      return this.#stageOf(transferId);
    });
  }

  /** Until that is durable, the old stage is what a restart goes on with: its data stay so long. */
  async #replace(transferId: string): Promise<void> {
    const generation = this.#options.newGeneration();
    const state = { transferId, generation, nextChunk: 0, lastKey: '', isComplete: false };
    await this.#settle(state);
  }

  #stageOf(transferId: string): SnapshotStage {
    const current = () => (this.#state?.transferId === transferId ? this.#state : null);
    return {
      transferId,
      get nextChunk() {
        return current()?.nextChunk ?? 0;
      },
      get isComplete() {
        return current()?.isComplete ?? false;
      },
      append: (chunk) => this.exclusively(() => this.#append(transferId, chunk)),
    };
  }

  async #append(transferId: string, { number, bytes, isLast }: SnapshotChunk): Promise<void> {
    const state = this.#state;
    if (state?.transferId !== transferId) throw badSnapshot(transferId, 'it was dropped meanwhile');
    if (state.isComplete || number !== state.nextChunk)
      throw badSnapshot(transferId, `chunk ${number} came, and the next is ${nextOf(state)}`);
    const chunk = decodeChunk(bytes, state.lastKey);
    if (chunk === undefined) {
      await this.#settle(null);
      throw badSnapshot(transferId, `chunk ${number} does not hold keys and values in order; it was dropped`);
    }
    const { entries, lastKey } = chunk;
    const next = { ...state, nextChunk: number + 1, lastKey, isComplete: isLast };
    await this.#options.write({ stage: { state: next, entries } });
    this.#state = next;
  }

  async #settle(state: StageState | null): Promise<void> {
    await this.#options.write({ stage: { state, entries: [] } });
    this.#state = state;
    this.#options.onDropped();
  }

  /** Does something while nothing is staged, after all that was asked for before. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#lane.then(() => {
      this.#options.check();
      return work();
    });
    this.#lane = done.catch(() => undefined); // Whoever asked is told.
    return done;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#lane;
  }
}

function nextOf({ isComplete, nextChunk }: StageState): string {
  return isComplete ? 'none' : String(nextChunk);
}

function badSnapshot(transferId: string, what: string): StorageError {
  return new StorageError(
    'RAFT_BAD_SNAPSHOT',
    `the snapshot of transfer ${transferId} can't be received: ${what}. The data in use are untouched. The ` +
      'leader begins a new transfer.',
  );
}
