import type { SessionStamp } from 'rxraft';
import { malformed } from './errors.ts';

/**
 * How many requests of a session may be under way at once, unless the client says itself which is the lowest
 * that it has no answer to.
 */
export const requestsUnderWayMax = 256;

/** What a request says about being sent again: these headers, as far as they are there. */
export interface Idempotency {
  readonly key: string | undefined;
  readonly lowest: string | undefined;
}

/**
 * What `Idempotency-Key: SESSION-SEQUENCE` says; `null` without one. `Idempotency-Lowest: N` is the lowest
 * sequence of the session whose answer the client has not got yet: results below it are forgotten. Without it,
 * answers are kept for the last {@link requestsUnderWayMax} sequences.
 */
export function stampOf({ key, lowest }: Idempotency): SessionStamp | null {
  if (key === undefined) {
    if (lowest === undefined) return null;
    throw malformed(`${lowestHeader} goes with ${keyHeader}, and is not there by itself`);
  }
  const [, session, sequence] = /^([1-9]\d{0,14})-([1-9]\d{0,14})$/.exec(key) ?? [];
  if (session === undefined || sequence === undefined) {
    const expected = 'SESSION-SEQUENCE, two numbers from 1 on, such as 17-1';
    throw malformed(`${keyHeader} is ${expected}, not ${JSON.stringify(key)}`);
  }
  return {
    session: Number(session),
    sequence: Number(sequence),
    lowestUnanswered: lowestOf(lowest, Number(sequence)),
  };
}

function lowestOf(given: string | undefined, sequence: number): number {
  if (given === undefined) return Math.max(1, sequence - requestsUnderWayMax + 1);
  const lowest = /^[1-9]\d{0,14}$/.test(given) ? Number(given) : Number.NaN;
  if (lowest <= sequence) return lowest;
  throw malformed(
    `${lowestHeader} is a whole number from 1 to this request's own sequence, ${sequence}, not ${JSON.stringify(given)}`,
  );
}

export const keyHeader = 'Idempotency-Key';
export const lowestHeader = 'Idempotency-Lowest';
