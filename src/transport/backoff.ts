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
