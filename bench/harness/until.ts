import { setTimeout as pause } from 'node:timers/promises';

/** Limits of {@link until}. */
export interface Patience {
  /** Milliseconds until it gives up. Default 60,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between looks. Default 20. */
  readonly pollMs?: number;
}

/** What `probe` returns, once it is neither `undefined` nor `null` nor `false`. A probe that throws is asked again. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 60_000, pollMs = 20 }: Patience = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + timeoutMs;
  let reason = '';
  do {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false)
        return value as Exclude<T, undefined | null | false>;
      reason = '';
    } catch (error) {
      reason = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await pause(pollMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}${reason}`);
}
