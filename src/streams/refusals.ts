import type { NodeId } from '../core/index.ts';
import type { RefusalStatus } from './raft-node.ts';

/** Refusals that are kept; beyond it the oldest is forgotten: a stranger may call itself anything. */
const keptMax = 64;

/** Milliseconds that a refusal is kept: whoever still tries does so far more often. */
const keptMs = 60_000;

interface Kept {
  readonly refusal: RefusalStatus;
  readonly atMs: number;
}

/** Who was refused of late, and who refused this node: the latest of each, the most recent one last. */
export class Refusals {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A handshake was refused. */
  add(refusal: RefusalStatus): void {
    const key = keyOf(refusal);
    this.#kept.delete(key); // So that the latest is last.
    this.#kept.set(key, { refusal, atMs: this.#now() });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** A connection is open with this node: nobody is refused any more. */
  forget(id: NodeId): void {
    for (const by of ['us', 'peer'] as const) this.#kept.delete(keyOf({ id, by }));
  }

  /** Who is in the cluster has changed: whoever was refused for what was before, tries again, and may be let in. */
  forgetOurs(): void {
    for (const [key, { refusal }] of this.#kept) if (refusal.by === 'us') this.#kept.delete(key);
  }

  get all(): readonly RefusalStatus[] {
    const now = this.#now();
    return [...this.#kept.values()].filter(({ atMs }) => now - atMs < keptMs).map(({ refusal }) => refusal);
  }
}

function keyOf({ id, by }: Pick<RefusalStatus, 'id' | 'by'>): string {
  return `${by} ${id}`;
}
