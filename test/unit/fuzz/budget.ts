import fc from 'fast-check';

/** Minutes that `npm run fuzz` may take; `npm test` has a fixed number of runs instead. */
const minutes = Number(process.env['RXRAFT_FUZZ_MINUTES'] ?? 0);
/** How many tests share those minutes, about. */
const fuzzTests = 15;
const msEach = (minutes * 60_000) / fuzzTests;

/** How long a fuzz test may take before it counts as hung. */
export const timeoutMs = 60_000 + 2 * msEach;

/** How long, and with which seed: for a test that asserts by itself. */
export function limitsOf(runs: number): fc.Parameters<unknown> {
  if (minutes <= 0) return { numRuns: runs, seed: 1 };
  return {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: msEach,
    markInterruptAsFailure: false,
  };
}

/**
 * Looks at so many things drawn at random, always the same ones; under `npm run fuzz` at others each time, until its
 * share of the time is over. What fails is printed with its seed and path, and shrunk.
 */
export async function fuzz<T>(
  arbitrary: fc.Arbitrary<T>,
  runs: number,
  check: (drawn: T) => void | Promise<void>,
): Promise<void> {
  let looked = 0;
  await fc.assert(
    fc.asyncProperty(arbitrary, async (drawn) => {
      looked += 1;
      await check(drawn);
    }),
    limitsOf(runs),
  );
  if (minutes > 0) console.log(`${looked} looked at`);
}
