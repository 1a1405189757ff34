import type { FaultKind } from './fault-kinds.ts';

/** What happened in a simulation: to tell whether it exercised anything. */
export interface RunCounts {
  /** Steps of the cores, liveness phase included. */
  steps: number;
  /** Terms that had a leader. */
  elections: number;
  /** Followers that threw away entries of their own. */
  truncations: number;
  snapshotsInstalled: number;
  /** Logs that were cut at a snapshot. */
  compactions: number;
  starts: number;
  /** Changes of members that were answered as done. */
  membersChanged: number;
  transfers: number;
  /** Writes by their answer; `lost`: the node that was asked ended first. Sessions send some more than once. */
  committed: number;
  notCommitted: number;
  unknown: number;
  lost: number;
  /** Reads that were answered. */
  reads: number;
  /** Reads whose query threw in the machine: an answer, too, and judged like one. */
  readsThrown: number;
  /** Reads that were not answered, such as those that took too long. */
  readsRefused: number;
}

/** None of anything. */
export function noCounts(): RunCounts {
  return {
    steps: 0,
    elections: 0,
    truncations: 0,
    snapshotsInstalled: 0,
    compactions: 0,
    starts: 0,
    membersChanged: 0,
    transfers: 0,
    committed: 0,
    notCommitted: 0,
    unknown: 0,
    lost: 0,
    reads: 0,
    readsThrown: 0,
    readsRefused: 0,
  };
}

/** How often each kind of fault had an effect. */
export type FaultCounts = Partial<Record<FaultKind, number>>;

/** Adds the counts of a run to a sum. */
export function addCounts(sum: RunCounts, counts: RunCounts): void {
  for (const name of Object.keys(sum) as (keyof RunCounts)[]) sum[name] += counts[name];
}
