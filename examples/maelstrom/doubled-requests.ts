import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Body, Message } from './message.ts';

/**
 * Requests that were seen, so that one that the network doubled is carried out once. The same client, the same
 * `msg_id` and the same body make the same request; its answer goes out again. Reads are never kept: they may well
 * be asked twice. Nor is a request without a number, which nothing tells from another one like it.
 */
export class DoubledRequests {
  readonly #seenMax: number;
  /** By hash, the oldest first. */
  readonly #seen = new Map<string, Promise<Body>>();

  /** @param seenMax - requests kept; beyond it, the oldest is forgotten. */
  constructor(seenMax: number) {
    this.#seenMax = seenMax;
  }

  /** The answer to a request, which `carryOut` finds out unless it has been here. */
  answer(message: Message, carryOut: () => Promise<Body>): Promise<Body> {
    const name = nameOf(message);
    if (name === null) return carryOut();
    const known = this.#seen.get(name);
    if (known !== undefined) return known;
    const answer = carryOut();
    this.#seen.set(name, answer);
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= this.#seenMax) break;
      this.#seen.delete(oldest);
    }
    return answer;
  }
}

function nameOf({ src, body }: Message): string | null {
  if (body['type'] === 'read' || !Number.isSafeInteger(body['msg_id'])) return null;
  try {
    return createHash('sha256')
      .update(canonicalJson([src, body]))
      .digest('base64');
  } catch {
    return null; // Malformed: nothing will be carried out.
  }
}
