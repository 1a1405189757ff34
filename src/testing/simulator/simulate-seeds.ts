import { checkNumbers } from '../simulation-numbers.ts';
import { addChanges, type ChangeCounts, noChanges } from './change-counts.ts';
import { addCounts, type FaultCounts, noCounts, type RunCounts } from './counts.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { SimulateOptions } from './options.ts';
import { type SimulationReport, simulate } from './simulate.ts';

/** What {@link simulateSeeds} is told. */
export interface SimulateSeedsOptions<Command, Result, Query, Answer>
  extends Omit<SimulateOptions<Command, Result, Query, Answer>, 'seed'> {
  /** The first seed. Default 1. */
  readonly from?: number;
  /** How many. */
  readonly count: number;
  /** Told of each run that held: for progress. */
  readonly onReport?: (report: SimulationReport) => void;
}

/** What happened in the runs of many seeds, summed. */
export interface SeedsReport extends RunCounts {
  readonly from: number;
  readonly count: number;
  readonly faults: FaultCounts;
  readonly changes: ChangeCounts;
  /** Steps of one core each, in a second of this machine. */
  readonly stepsPerSecond: number;
}

/**
 * Runs {@link simulate} with one seed after the other. Rejects with the `SimulationFailure` of the first that does not
 * hold.
 */
export async function simulateSeeds<Command, Result, Query, Answer>({
  from = 1,
  count,
  onReport,
  ...options
}: SimulateSeedsOptions<Command, Result, Query, Answer>): Promise<SeedsReport> {
  checkNumbers({ from, count });
  const counts = noCounts();
  const faults: FaultCounts = {};
  const changes = noChanges();
  const startedMs = performance.now();
  for (let seed = from; seed < from + count; seed++) {
    const report = await simulate({ ...options, seed });
    addCounts(counts, report);
    addChanges(changes, report.changes);
    for (const [kind, times] of Object.entries(report.faults) as [FaultKind, number][]) {
      faults[kind] = (faults[kind] ?? 0) + times;
    }
    onReport?.(report);
  }
  const seconds = Math.max(0.001, (performance.now() - startedMs) / 1000);
  return { from, count, ...counts, faults, changes, stepsPerSecond: Math.round(counts.steps / seconds) };
}
