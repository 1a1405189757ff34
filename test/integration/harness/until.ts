import { setTimeout as pause } from 'node:timers/promises';

/** How long anything may take before a test gives up: generous, since the machine may be busy. */
export const deadlineMs = 30_000;

const pollMs = 25;

/**
 * What `probe` returns, once that is neither `undefined` nor `null` nor `false`. A probe that throws is asked
 * again too. Rejects after `deadlineMs`, with what was waited for and the last reason why it was not so.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + deadlineMs;
  let reason = '';
  do {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) {
        return value as Exclude<T, undefined | null | false>;
      }
      reason = '';
    } catch (error) {
      reason = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    await pause(pollMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${deadlineMs} ms in vain until ${what}${reason}`);
}
