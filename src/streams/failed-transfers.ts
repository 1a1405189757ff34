import type { NodeId } from '../core/index.ts';
import { growingPauseMs } from './growing-pause.ts';

/** What became of the last snapshot for one follower. */
interface Failure {
  /** The request that waits to be answered; `null` if the core has asked for something else since. */
  seq: number | null;
  readonly atMs: number;
  readonly pauseMs: number;
}

/**
 * Followers that found a snapshot of this node malformed, or for whom the state machine gave none. The next one will probably
 * fail, too: without a pause, it would keep disks and network busy for ever. The log that they need is kept meanwhile (rule 21).
 */
export class FailedTransfers {
  readonly #failures = new Map<NodeId, Failure>();

  /** The snapshot of this request failed. Gives the milliseconds until the request is due. */
  add(id: NodeId, { seq, now }: { readonly seq: number; readonly now: number }): number {
    const before = this.#failures.get(id);
    const pauseMs = growingPauseMs(before?.pauseMs);
    this.#failures.set(id, { seq, atMs: now, pauseMs });
    return pauseMs;
  }

  /** The requests whose pause is over; each is given once. */
  due(now: number): readonly number[] {
    const due: number[] = [];
    for (const failure of this.#failures.values()) {
      if (failure.seq === null || now - failure.atMs < failure.pauseMs) continue;
      due.push(failure.seq);
      failure.seq = null;
    }
    return due;
  }

  /** The core asks for another snapshot for this follower: the one before needs no answer. */
  supersede(id: NodeId): void {
    const failure = this.#failures.get(id);
    if (failure !== undefined) failure.seq = null;
  }

  /** This follower took a snapshot: the next failure is its first. */
  forget(id: NodeId): void {
    this.#failures.delete(id);
  }

  clear(): void {
    this.#failures.clear();
  }
}
