import { setTimeout as pause } from 'node:timers/promises';
import { BenchLoad, type Counts } from './bench-load.ts';
import type { Cluster } from './cluster.ts';
import { withProgress } from './progress.ts';

/** What `rxraft bench` is told. */
export interface BenchFlags {
  readonly outstanding: number;
  readonly connections: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly reads: number;
  readonly timeoutMs?: string;
  readonly session: boolean;
}

const warmUpMs = 1_000;
const lookMs = 1_000;

/** `rxraft bench`: puts a load on a cluster, and says how fast it answers. */
export async function bench(cluster: Cluster, flags: BenchFlags): Promise<void> {
  const { output, urls } = cluster;
  const timeoutMs = Number(flags.timeoutMs ?? 5_000);
  const load = new BenchLoad(urls, { ...flags, timeoutMs, hasSession: flags.session });
  try {
    await withProgress(output, 'not connected yet', load.ready());
  } catch (error) {
    output.fail(`no measurement: ${error instanceof Error ? error.message : String(error)}`);
    output.next(`rxraft status${cluster.flags}`);
    return load.close();
  }
  output.say(
    `${flags.outstanding} requests at once over ${flags.connections} connections; Ctrl-C ends it early`,
  );
  const total = await measured(load, flags, (line) => output.say(line));
  await load.close();
  output.json(asJson(total, flags));
  output.text(asText(total));
  if (total.answered === 0) output.fail('not one request was answered');
  output.next(
    `rxraft bench --outstanding ${flags.outstanding * 4}${cluster.flags} tells whether more at once are faster`,
  );
}

/** Warms up, measures, and says each second how it goes. */
async function measured(
  load: BenchLoad,
  { seconds }: BenchFlags,
  say: (line: string) => void,
): Promise<Counts> {
  const interrupted = new AbortController();
  const onInterrupt = (): void => interrupted.abort();
  process.once('SIGINT', onInterrupt);
  const running = load.run();
  await patience(warmUpMs, interrupted.signal);
  load.measure();
  for (let second = 1; second <= seconds && !interrupted.signal.aborted; second++) {
    await patience(lookMs, interrupted.signal);
    say(`${second} s: ${progressOf(load.look())}`);
  }
  const total = load.stop();
  await running;
  process.off('SIGINT', onInterrupt);
  return total;
}

/** Waits, unless it is interrupted. */
async function patience(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined);
}

function progressOf(counts: Counts): string {
  const { latencies, outcomes } = counts;
  const refused = outcomes.notCommitted + outcomes.unknown;
  const rate = `${Math.round(counts.answered / counts.seconds).toLocaleString('en')}/s`;
  const times = `p50 ${round(latencies.percentileMs(0.5))} ms, p99 ${round(latencies.percentileMs(0.99))} ms`;
  return `${rate}, ${times}${refused > 0 ? `, ${refused} failed` : ''}`;
}

function asJson(counts: Counts, flags: BenchFlags): object {
  const { latencies, outcomes, codes, seconds } = counts;
  return {
    outstanding: flags.outstanding,
    connections: flags.connections,
    bytes: flags.bytes,
    readPercent: flags.reads,
    session: flags.session,
    seconds: round(seconds),
    perSecond: Math.round(counts.answered / seconds),
    writesPerSecond: Math.round(counts.writes / seconds),
    readsPerSecond: Math.round(counts.reads / seconds),
    p50Ms: round(latencies.percentileMs(0.5)),
    p95Ms: round(latencies.percentileMs(0.95)),
    p99Ms: round(latencies.percentileMs(0.99)),
    maxMs: round(latencies.maxMs),
    outcomes: { answered: counts.answered, ...outcomes },
    codes: Object.fromEntries(codes),
  };
}

function asText(counts: Counts): string {
  const { latencies, outcomes, codes, seconds } = counts;
  const perSecond = (count: number): string => `${Math.round(count / seconds).toLocaleString('en')}/s`;
  const reasons =
    codes.size === 0 ? '' : ` (${[...codes].map(([code, count]) => `${code} ${count}`).join(', ')})`;
  return [
    `rate      ${perSecond(counts.answered)}: ${perSecond(counts.writes)} writes, ${perSecond(counts.reads)} reads, over ${round(seconds)} s`,
    `latency   p50 ${round(latencies.percentileMs(0.5))} ms, p95 ${round(latencies.percentileMs(0.95))} ms, p99 ${round(latencies.percentileMs(0.99))} ms, max ${round(latencies.maxMs)} ms`,
    `outcomes  ${counts.answered} answered, ${outcomes.notCommitted} not committed, ${outcomes.unknown} unknown${reasons}`,
  ].join('\n');
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
