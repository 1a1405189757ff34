import { percentile, spread } from '../harness/report.ts';
import type { Operation } from '../load/client.ts';
import type { Sample } from '../load/closed-loop.ts';
import type { RunningSystem } from '../systems/system.ts';
import type { Row } from './row.ts';

/** How one figure is measured. */
export interface Measurement {
  readonly operation: Operation;
  readonly outstanding: number;
  readonly samples: number;
  readonly sampleMs: number;
  readonly warmUpMs: number;
}

/** One sample, and what the nodes used for it. */
export interface UsedSample {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Microseconds of processor time for each request. */
  readonly cpuUs: number;
  /** The same of the clients, where they have a process of their own. */
  readonly clientsCpuUs: number | null;
  readonly flushesPerSecond: number | null;
}

/** Enough at once that every path of the code is hot. */
const warmUpOutstanding = 256;

/** Code is compiled once it has run often: what is measured before, on any of the systems, is their start. */
const warmUpTimes = 6;

/** A load that a system is to get used to. */
export type Load = Pick<Measurement, 'operation' | 'outstanding'>;

/** Has a system that was just started do what it will be asked for, for a while each, so that its code is compiled. */
export async function warmUp(
  system: RunningSystem,
  warmUpMs: number,
  loads: readonly Load[] = [{ operation: 'write', outstanding: warmUpOutstanding }],
): Promise<void> {
  for (const { operation, outstanding } of loads) {
    await system.startLoop(operation, outstanding);
    await system.sample(warmUpTimes * warmUpMs);
    await system.stopLoop();
  }
}

/** Puts a load on a system, and looks at it again and again once it has warmed up. */
export async function measure(
  system: RunningSystem,
  { operation, outstanding, samples, sampleMs, warmUpMs }: Measurement,
): Promise<readonly UsedSample[]> {
  await system.startLoop(operation, outstanding);
  await system.sample(warmUpMs);
  const taken: UsedSample[] = [];
  while (taken.length < samples) taken.push(await sample(system, sampleMs));
  await system.stopLoop();
  return taken;
}

async function sample(system: RunningSystem, sampleMs: number): Promise<UsedSample> {
  const before = await system.usage('before');
  const startedAt = performance.now();
  const taken = await system.sample(sampleMs);
  const { perSecond, p50Ms, p99Ms, served, refused, clientsCpuMs } = taken;
  const seconds = (performance.now() - startedAt) / 1000;
  const after = await system.usage('after');
  checkServed({ served, refused }, sampleMs);
  const flushes = before.flushes === null || after.flushes === null ? null : after.flushes - before.flushes;
  return {
    perSecond,
    p50Ms,
    p99Ms,
    cpuUs: ((after.cpuMs - before.cpuMs) * 1000) / served,
    clientsCpuUs: clientsCpuMs === undefined ? null : (clientsCpuMs * 1000) / served,
    flushesPerSecond: flushes === null ? null : flushes / seconds,
  };
}

/** Throws unless all was served, and something was: the figures of anything else mean nothing. */
export function checkServed({ served, refused }: Pick<Sample, 'served' | 'refused'>, ms: number): void {
  if (refused > 0) throw new Error(`${refused} requests were refused, and ${served} served`);
  if (served === 0) throw new Error(`nothing was served in ${ms} ms: the machine is too busy`);
}

/** The medians of some samples, as a row. */
export function rowOf(
  samples: readonly UsedSample[],
  about: Pick<Row, 'case' | 'system' | 'outstanding' | 'bytes'>,
): Row {
  const median = (of: (sample: UsedSample) => number): number => percentile(samples.map(of), 50);
  const { min, max } = spread(samples.map(({ perSecond }) => perSecond));
  const medianOfAll = (of: (sample: UsedSample) => number | null): number | null =>
    samples.every((sample) => of(sample) !== null) ? median((sample) => of(sample) ?? 0) : null;
  return {
    ...about,
    perSecond: median(({ perSecond }) => perSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    spread: { min, max },
    samples: samples.length,
    cpuUs: median(({ cpuUs }) => cpuUs),
    clientsCpuUs: medianOfAll(({ clientsCpuUs }) => clientsCpuUs),
    flushesPerSecond: medianOfAll(({ flushesPerSecond }) => flushesPerSecond),
  };
}
