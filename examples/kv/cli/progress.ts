import type { Output } from './output.ts';

const sayEveryMs = 1_000;

/** Says once a second that something is still under way, and gives what comes of it. */
export async function withProgress<T>(output: Output, what: string, work: Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const say = (): void => output.say(`${what} (${Math.round((performance.now() - startedAt) / 1_000)} s)`);
  const timer = setInterval(say, sayEveryMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
