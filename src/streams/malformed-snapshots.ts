import type { NodeId } from '../core/index.ts';

/** A follower that found a snapshot malformed gets the next one no sooner; the pause doubles each time. */
const pauseMsMin = 1_000;
/** The longest such pause. The log that the follower needs is kept meanwhile (rule 21). */
const pauseMsMax = 60_000;

/** What became of the last snapshot for one follower. */
interface Refusal {
  /** The request that waits to be answered; `null` if the core has asked for something else since. */
  seq: number | null;
  readonly atMs: number;
  readonly pauseMs: number;
}

/**
 * Followers that found a snapshot of this node malformed. The data of this node are probably damaged, so the next one will
 * be refused, too: sent without a pause, it would keep both disks and the network busy for ever.
 */
export class MalformedSnapshots {
  readonly #refusals = new Map<NodeId, Refusal>();

  /** The snapshot of this request was refused. Gives the milliseconds until the request is due. */
  add(id: NodeId, { seq, now }: { readonly seq: number; readonly now: number }): number {
    const before = this.#refusals.get(id);
    const pauseMs = before === undefined ? pauseMsMin : Math.min(2 * before.pauseMs, pauseMsMax);
    this.#refusals.set(id, { seq, atMs: now, pauseMs });
    return pauseMs;
  }

  /** The requests whose pause is over; each is given once. */
  due(now: number): readonly number[] {
    const due: number[] = [];
    for (const refusal of this.#refusals.values()) {
      if (refusal.seq === null || now - refusal.atMs < refusal.pauseMs) continue;
      due.push(refusal.seq);
      refusal.seq = null;
    }
    return due;
  }

  /** The core asks for another snapshot for this follower: the one before needs no answer. */
  supersede(id: NodeId): void {
    const refusal = this.#refusals.get(id);
    if (refusal !== undefined) refusal.seq = null;
  }

  /** This follower took a snapshot: the next refusal is its first. */
  forget(id: NodeId): void {
    this.#refusals.delete(id);
  }

  clear(): void {
    this.#refusals.clear();
  }
}
