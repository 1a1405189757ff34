import { setTimeout as pause } from 'node:timers/promises';
import { request } from './kv-request.ts';
import type { Slot } from './slot.ts';

const pauseMs = 300;

/** Keys that are written once and stay: what was acknowledged in the first minute must be there in the last. */
export class Ledger {
  readonly prefix: string;
  /** Key and value of what was acknowledged, and of what may have been written. */
  readonly acknowledged = new Map<string, string>();
  readonly #possible = new Map<string, string>();
  #next = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Writes one key after the other until the signal. */
  async work(slots: readonly Slot[], stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const value = `${this.prefix}value-${++this.#next}`;
      const key = `${this.prefix}${this.#next}`;
      const { url } = slots[this.#next % slots.length] as Slot;
      const { outcome } = await request(url, { key, operation: { type: 'put', value } });
      if (outcome.type === 'ok') this.acknowledged.set(key, value);
      if (outcome.type !== 'notCommitted') this.#possible.set(key, value);
      await pause(pauseMs);
    }
  }

  /** What is wrong with a node's data; `null` if nothing is. */
  problemWith(node: string, found: ReadonlyMap<string, string>): string | null {
    for (const [key, value] of this.acknowledged)
      if (found.get(key) !== value)
        return `${key} was acknowledged with ${value}, and ${node} has ${found.get(key) ?? 'nothing'}`;
    for (const [key, value] of found)
      if (key.startsWith(this.prefix) && this.#possible.get(key) !== value)
        return `${node} has ${value} at ${key}, which was not written, or answered notCommitted`;
    return null;
  }
}
