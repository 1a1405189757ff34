import type { NodeId } from '../core/index.ts';
import type { RefusalStatus } from './raft-node.ts';

/** Refusals that are kept; beyond it the oldest is forgotten: a stranger may call itself anything. */
const keptMax = 64;

/** Who was refused, and who refused this node: the latest of each, the most recent one last. */
export class Refusals {
  readonly #kept = new Map<string, RefusalStatus>();

  /** A handshake was refused. */
  add(refusal: RefusalStatus): void {
    const key = keyOf(refusal);
    this.#kept.delete(key); // So that the latest is last.
    this.#kept.set(key, refusal);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > keptMax && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** A connection is open with this node: nobody is refused any more. */
  forget(id: NodeId): void {
    for (const by of ['us', 'peer'] as const) this.#kept.delete(keyOf({ id, by }));
  }

  /** Who is in the cluster has changed: whoever was refused for what was before, tries again, and may be let in. */
  forgetOurs(): void {
    for (const [key, { by }] of this.#kept) if (by === 'us') this.#kept.delete(key);
  }

  get all(): readonly RefusalStatus[] {
    return [...this.#kept.values()];
  }
}

function keyOf({ id, by }: Pick<RefusalStatus, 'id' | 'by'>): string {
  return `${by} ${id}`;
}
