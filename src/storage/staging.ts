import { StorageError } from './errors.ts';
import type { MachineBase } from './machine-overlay.ts';
import type { StageState, Transaction } from './medium.ts';
import { decodeChunk } from './snapshot-chunk.ts';
import { isPiece } from './snapshot-piece.ts';
import { type StageStep, takePiece } from './staged-value.ts';
import type { IsEntry, SnapshotChunk, SnapshotStage } from './storage.ts';

/** What {@link Staging} works with. */
export interface StagingOptions {
  /** Throws if nothing more may be asked for. */
  readonly admit: () => void;
  /** Throws if the store is not open, or has failed. */
  readonly check: () => void;
  readonly write: (transaction: Transaction) => Promise<void>;
  /** A generation of which there are no data, nor of the one after it. */
  readonly newGeneration: () => number;
  /** The flushed data of a generation. */
  readonly machineOf: (generation: number) => MachineBase;
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
  begin(transferId: string, isEntry: IsEntry = () => true): Promise<SnapshotStage> {
    return this.exclusively(async () => {
      if (this.#state?.transferId !== transferId) await this.#replace(transferId);
      return this.#stageOf(transferId, isEntry);
    });
  }

  /** Until that is durable, the old stage is what a restart goes on with: its data stay so long. */
  async #replace(transferId: string): Promise<void> {
    const generation = this.#options.newGeneration();
    const state = { transferId, generation, nextChunk: 0, lastKey: '', unfinished: null, isComplete: false };
    await this.#settle(state);
  }

  #stageOf(transferId: string, isEntry: IsEntry): SnapshotStage {
    const current = () => (this.#state?.transferId === transferId ? this.#state : null);
    return {
      transferId,
      get nextChunk() {
        return current()?.nextChunk ?? 0;
      },
      get isComplete() {
        return current()?.isComplete ?? false;
      },
      append: (chunk) => this.exclusively(() => this.#append(transferId, chunk, isEntry)),
    };
  }

  async #append(
    transferId: string,
    { number, bytes, isLast }: SnapshotChunk,
    isEntry: IsEntry,
  ): Promise<void> {
    const state = this.#state;
    if (state?.transferId !== transferId) throw badSnapshot(transferId, 'it was dropped meanwhile');
    if (state.isComplete || number !== state.nextChunk)
      throw badSnapshot(transferId, `chunk ${number} came, and the next is ${nextOf(state)}`);
    const step = this.#read(state, bytes);
    if (step === undefined || (isLast && step.state.unfinished !== null))
      return this.#drop(transferId, `chunk ${number} does not hold keys and values in order`);
    if (!areEntries(step, isEntry))
      return this.#drop(transferId, `chunk ${number} holds what this state machine can't have written`);
    const next = { ...step.state, nextChunk: number + 1, isComplete: isLast };
    const { entries, pieces } = step;
    await this.#options.write({ stage: { state: next, entries }, ...(pieces && { machine: pieces }) });
    this.#state = next;
  }

  async #drop(transferId: string, what: string): Promise<never> {
    await this.#settle(null);
    throw badSnapshot(transferId, `${what}; it was dropped`);
  }

  /** What a chunk brings; `undefined` if it does not go on where the one before ended. */
  #read(state: StageState, bytes: Uint8Array): StageStep | undefined {
    if (isPiece(bytes)) return takePiece(state, bytes, this.#options.machineOf);
    const chunk = state.unfinished === null ? decodeChunk(bytes, state.lastKey) : undefined;
    return chunk && { state: { ...state, lastKey: chunk.lastKey }, entries: chunk.entries };
  }

  async #settle(state: StageState | null): Promise<void> {
    await this.#options.write({ stage: { state, entries: [] } });
    this.#state = state;
    this.#options.onDropped();
  }

  /** Does something while nothing is staged, after all that was asked for before. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#options.admit();
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

/** Whoever decodes what another node sends may throw: it is no entry then. */
function areEntries({ entries }: StageStep, isEntry: IsEntry): boolean {
  try {
    return entries.every(([key, value]) => isEntry(key, value));
  } catch {
    return false;
  }
}
