import { percentile, spread } from '../harness/report.ts';
import type { Row } from './row.ts';
import type { SuiteOptions } from './suite-options.ts';

/** What is looked at the clock for: often enough for a sample's end, seldom enough to cost nothing. */
const roundMs = 5;

/** How often something can be done a second, by doing it over and over on this thread. */
export function rateRow(
  options: SuiteOptions,
  about: Pick<Row, 'case' | 'system' | 'outstanding' | 'bytes'>,
  /** Does it, and says how many times that counts as. */
  work: () => number,
): Row {
  const round = roundOf(work);
  run(work, round, options.warmUpMs);
  const rates = Array.from({ length: options.samples }, () => run(work, round, options.sampleMs));
  return rowOfRates(about, rates);
}

/** A row of rates alone. */
export function rowOfRates(
  about: Pick<Row, 'case' | 'system' | 'outstanding' | 'bytes'>,
  rates: readonly number[],
): Row {
  const { min, max } = spread(rates);
  return {
    ...about,
    perSecond: percentile(rates, 50),
    p50Ms: null,
    p99Ms: null,
    spread: { min, max },
    samples: rates.length,
    cpuUs: null,
    flushesPerSecond: null,
  };
}

function roundOf(work: () => number): number {
  const startedAt = performance.now();
  let times = 0;
  for (; performance.now() - startedAt < roundMs; times++) work();
  return times;
}

function run(work: () => number, round: number, ms: number): number {
  const startedAt = performance.now();
  let done = 0;
  let now = startedAt;
  for (; now - startedAt < ms; now = performance.now()) for (let at = 0; at < round; at++) done += work();
  return (done * 1000) / (now - startedAt);
}
