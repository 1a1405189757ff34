import type { SchedulerLike } from 'rxjs';
import { RaftError } from '../core/index.ts';
import { textOf } from './errors.ts';

/** Why a node ends. */
export interface Ending {
  readonly code: 'RAFT_CLOSED' | 'RAFT_STOPPED';
  /** For those whose requests are outstanding. */
  readonly what: string;
  /**
   * What is on its way to the disk may get there, and then the storage be closed, which flushes what its machine store
   * holds. Both or neither: that may stand for entries that are still on their way (rule 13). Otherwise it is discarded.
   */
  readonly canFlush: boolean;
}

/** What went wrong, so that a node can't go on. */
export interface Failure {
  readonly what: string;
  readonly cause: unknown;
  /** The machine's data in the store may be those of half a batch. Default false. */
  readonly isMachineHalfway?: boolean;
}

/** How a node ends, once: because it was asked to, or because it can't go on. */
export class Lifetime {
  /** Resolves when the node has closed; rejects if it had to stop, or could not let go of everything. */
  readonly closed: Promise<void>;
  readonly #shutDown: (ending: Ending) => Promise<void>;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #isOver = false;
  #ending: Promise<void> = Promise.resolve();

  constructor(shutDown: (ending: Ending) => Promise<void>) {
    this.#shutDown = shutDown;
    let settle: [() => void, (error: unknown) => void] | undefined;
    this.closed = new Promise<void>((resolve, reject) => {
      settle = [resolve, reject];
    });
    [this.#resolve, this.#reject] = settle as unknown as [() => void, (error: unknown) => void];
    this.closed.catch(() => {}); // Whoever cares asks; a stop is not an unhandled rejection.
  }

  /** The node is ending, or has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the node in peace. Again, it gives the same promise. */
  close(): Promise<void> {
    if (this.#isOver) return this.#ending;
    this.#isOver = true;
    this.#ending = this.#close();
    return this.#ending;
  }

  async #close(): Promise<void> {
    const ending = {
      code: 'RAFT_CLOSED',
      what: 'The node closed.',
      canFlush: true,
    } as const;
    try {
      await this.#shutDown(ending);
      this.#resolve();
    } catch (error) {
      this.#reject(error);
      throw error;
    }
  }

  /**
   * The node can't go on. Nothing acknowledged is lost; what is outstanding is answered `unknown`. Gives the
   * error that `closed` rejects with; `null` if the node is ending already.
   */
  fail({ what, cause, isMachineHalfway = false }: Failure): RaftError | null {
    if (this.#isOver) return null;
    this.#isOver = true;
    const message = `${what}, and the node has stopped: ${explained(cause)}`;
    const error = new RaftError('RAFT_STOPPED', message, { outcome: 'unknown', cause });
    const ending: Ending = {
      code: 'RAFT_STOPPED',
      what: message,
      canFlush: !isMachineHalfway,
    };
    const reject = () => this.#reject(error);
    this.#ending = this.#shutDown(ending).then(reject, reject);
    return error;
  }
}

/** What went wrong, what it means for the data, and what to do. */
function explained(cause: unknown): string {
  if (cause instanceof RaftError) return cause.message; // Says it all.
  return `${textOf(cause)}. Nothing acknowledged is lost; mend the cause and start it again.`;
}

/**
 * Waits for all of the work. Rejects with what went wrong first, or with `RAFT_CLOSE_TIMEOUT` if it is not done in
 * time; what becomes of it then concerns nobody.
 */
export function within(
  work: readonly (Promise<unknown> | undefined)[],
  limit: { readonly timeoutMs: number; readonly scheduler: SchedulerLike },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = limit.scheduler.schedule(() => reject(closeTimeout(limit.timeoutMs)), limit.timeoutMs);
    void Promise.allSettled(work).then((results) => {
      timer.unsubscribe();
      const failure = results.find((result) => result.status === 'rejected');
      if (failure === undefined) resolve();
      else reject(failure.reason);
    });
  });
}

function closeTimeout(timeoutMs: number): RaftError {
  const what = `The node has closed, but its disk or its network did not let go within ${timeoutMs} ms.`;
  return new RaftError(
    'RAFT_CLOSE_TIMEOUT',
    `${what} Nothing acknowledged is lost. Look at the disk, and end the process before the store is opened again.`,
  );
}
