import { Latencies } from '../harness/latencies.ts';
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
  const sample = sampler(work);
  sample(options.warmUpMs);
  return rowOfRates(
    about,
    Array.from({ length: options.samples }, () => sample(options.sampleMs)),
  );
}

/** What does it over and over on this thread for so many milliseconds, and says how often a second that was. */
export function sampler(work: () => number): (ms: number) => number {
  const round = roundOf(work);
  return (ms) => run(work, round, ms);
}

/** As {@link rateRow}, of what takes its time: one after the other, and how long each took. */
export async function latencyRow(
  options: SuiteOptions,
  about: Pick<Row, 'case' | 'system' | 'outstanding' | 'bytes'>,
  work: () => Promise<number>,
): Promise<Row> {
  await runOneByOne(work, options.warmUpMs);
  const samples: { readonly rate: number; readonly p50Ms: number; readonly p99Ms: number }[] = [];
  while (samples.length < options.samples) samples.push(await runOneByOne(work, options.sampleMs));
  const median = (of: (sample: (typeof samples)[number]) => number): number =>
    percentile(samples.map(of), 50);
  const row = rowOfRates(
    about,
    samples.map(({ rate }) => rate),
  );
  return { ...row, p50Ms: median(({ p50Ms }) => p50Ms), p99Ms: median(({ p99Ms }) => p99Ms) };
}

async function runOneByOne(
  work: () => Promise<number>,
  ms: number,
): Promise<{ rate: number; p50Ms: number; p99Ms: number }> {
  const latencies = new Latencies();
  const startedAt = performance.now();
  let done = 0;
  let now = startedAt;
  while (now - startedAt < ms) {
    done += await work();
    const after = performance.now();
    latencies.add(after - now);
    now = after;
  }
  return {
    rate: (done * 1000) / (now - startedAt),
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  };
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
    clientsCpuUs: null,
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
