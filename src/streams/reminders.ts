import type { NodeId } from '../core/index.ts';

/** Milliseconds until the same is said again; they double each time. */
const againMsMin = 60_000;
const againMsMax = 3_600_000;

/** Things said that are remembered; beyond it the oldest is forgotten: a stranger may call itself anything. */
const rememberedMax = 256;

/** Something that was said of a node. */
interface Said {
  readonly id: NodeId | null;
  readonly atMs: number;
  /** Until it may be said again. */
  readonly againMs: number;
}

/**
 * What was said of which node, so that a log does not say the same at every attempt to connect: it does at first,
 * after a minute, after two more, and so on, every hour in the end.
 */
export class Reminders {
  readonly #now: () => number;
  readonly #said = new Map<string, Said>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether this is to be said now; then it counts as said. `null`: a node that has no name yet. */
  isDue(id: NodeId | null, text: string): boolean {
    const key = JSON.stringify([id, text]);
    const said = this.#said.get(key);
    const now = this.#now();
    if (said !== undefined && now - said.atMs < said.againMs) return false;
    const againMs = said === undefined ? againMsMin : Math.min(2 * said.againMs, againMsMax);
    this.#said.delete(key); // So that the latest is last.
    this.#said.set(key, { id, atMs: now, againMs });
    const [oldest] = this.#said.keys();
    if (this.#said.size > rememberedMax && oldest !== undefined) this.#said.delete(oldest);
    return true;
  }

  /** What was said of that node is over: the next time is the first. */
  forget(id: NodeId): void {
    for (const [key, said] of this.#said) if (said.id === id) this.#said.delete(key);
  }
}
