import type { Random } from './random.ts';

/** How long to wait between attempts to connect. */
export interface BackoffLimits {
  /** Milliseconds after the second failure in a row; doubles with each further one. Default 50. */
  readonly backoffMsMin: number;
  /** The longest wait in milliseconds. Default 2,000. */
  readonly backoffMsMax: number;
}

/** The waits that suit a cluster: back within two seconds of a peer's return, without a stampede. */
export const defaultBackoff: BackoffLimits = { backoffMsMin: 50, backoffMsMax: 2_000 };

/**
 * How long to wait before one peer is dialed again.
 *
 * A connection that showed life and was cut is a first failure, which costs no wait, so that a link is back at once.
 * But once in `backoffMsMax` only: two processes with one identity take the connection from each other each time.
 */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: Random;
  #failures = 0;
  #forgivenAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: BackoffLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** An attempt has failed, or its connection is gone. `hasLived`: the peer answered after the handshake. */
  waitMs({ hasLived, nowMs }: { readonly hasLived: boolean; readonly nowMs: number }): number {
    const isForgiven = hasLived && nowMs - this.#forgivenAtMs >= this.#limits.backoffMsMax;
    if (isForgiven) this.#forgivenAtMs = nowMs;
    this.#failures = isForgiven ? 1 : this.#failures + 1;
    return backoffMs(this.#failures, this.#limits, this.#random);
  }
}

/**
 * Milliseconds to wait after `failures` attempts in a row that failed or did not live.
 *
 * None after the first, so that a connection cut once is back at once; then doubling up to the limit, less
 * a random part of up to a half, so that peers cut off together do not come back together.
 */
export function backoffMs(failures: number, limits: BackoffLimits, random: Random): number {
  if (failures < 2) return 0;
  const { backoffMsMin, backoffMsMax } = limits;
  const wholeMs = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(failures - 2, 30));
  return Math.round(wholeMs * (1 - random() / 2));
}
