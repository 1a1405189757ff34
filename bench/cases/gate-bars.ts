import type { Bar } from '../harness/report.ts';
import type { Operation } from '../load/client.ts';
import type { Figure, Row } from '../suite/row.ts';
import type { SuiteOptions } from '../suite/suite-options.ts';
import type { Driver } from '../systems/system.ts';

/** What ours has to come to, measured by what another does in the same run. */
export interface RatioBar {
  readonly driver: Driver;
  readonly operation: 'write' | 'read';
  readonly outstanding: number;
  readonly than: 'etcd' | 'prototype';
  readonly atLeast: number;
}

/** What ours may use at most of the processor for a write, over all three processes. */
export interface CpuBar {
  readonly outstanding: number;
  readonly atMostUs: number;
}

const writes = (
  driver: Driver,
  than: RatioBar['than'],
  limits: Readonly<Record<number, number>>,
): readonly RatioBar[] =>
  Object.entries(limits).map(([outstanding, atLeast]) => ({
    driver,
    operation: 'write',
    outstanding: Number(outstanding),
    than,
    atLeast,
  }));

/** Three processes, on disk, each answer after application, 128 bytes, default settings. */
export const ratioBars: readonly RatioBar[] = [
  ...writes('clients', 'etcd', { 1: 0.8, 64: 2.8, 256: 6, 1000: 10 }),
  ...writes('clients', 'prototype', { 1: 0.85, 64: 0.8, 256: 0.8, 1000: 0.75 }),
  { driver: 'clients', operation: 'read', outstanding: 256, than: 'etcd', atLeast: 10 },
  ...writes('embedded', 'prototype', { 64: 0.8, 1000: 0.8 }),
  ...writes('http', 'etcd', { 64: 3, 256: 3 }),
];

/** With the proposer in the leader's process, whose own time is in it. */
export const cpuBars: readonly CpuBar[] = [
  { outstanding: 64, atMostUs: 45 },
  { outstanding: 1_000, atMostUs: 8 },
];

/** A case of a row, as the gate and the cluster's case name it. */
export function caseOf(driver: Driver, operation: Operation): string {
  return `${driver} ${operation}`;
}

/** What came of the bars. */
export interface Told {
  readonly bars: readonly Bar[];
  /** In words, those that can't be told although they were asked for, as where a peer is not installed. */
  readonly untold: readonly string[];
  /** In words, those that the command line left out. */
  readonly left: readonly string[];
}

/** The bars that can be told from these rows, and those that can't. A run that compares nothing is untold itself. */
export function barsOf(rows: readonly Row[], asked: Pick<SuiteOptions, 'systems' | 'drivers'>): Told {
  const bars: Bar[] = [];
  const untold: string[] = [];
  const left: string[] = [];
  const find = (system: string, name: string, outstanding: number): Row | undefined =>
    rows.find((row) => row.system === system && row.case === name && row.outstanding === outstanding);
  const miss = (what: string, driver: Driver, names: readonly string[]): void => {
    const isAsked =
      (asked.drivers?.includes(driver) ?? true) &&
      names.every((name) => asked.systems?.includes(name) ?? true);
    (isAsked ? untold : left).push(what);
  };
  for (const { driver, operation, outstanding, than, atLeast } of ratioBars) {
    const name = caseOf(driver, operation);
    const [ours, theirs] = [find('rxraft', name, outstanding), find(than, name, outstanding)];
    const what = `${name}, ${outstanding} outstanding, by ${than}`;
    if (ours === undefined || theirs === undefined) miss(what, driver, ['rxraft', than]);
    else
      bars.push({
        what,
        figure: ours.perSecond / theirs.perSecond,
        unit: ' ×',
        must: 'atLeast',
        limit: atLeast,
      });
  }
  for (const { outstanding, atMostUs } of cpuBars) {
    const row = find('rxraft', caseOf('embedded', 'write'), outstanding);
    const what = `embedded write, ${outstanding} outstanding, CPU of three nodes`;
    if (row === undefined || row.cpuUs === null) miss(what, 'embedded', ['rxraft']);
    else bars.push({ what, figure: row.cpuUs, unit: ' µs', must: 'atMost', limit: atMostUs });
  }
  if (bars.length === 0 && untold.length === 0) untold.push('any bar at all');
  return { bars, untold, left };
}

/** What sessions cost, by the same others, in the points of the bars: printed, and held to nothing. */
export function sessionRatiosOf(rows: readonly Row[]): readonly Figure[] {
  const system = 'rxraft with sessions';
  return rows
    .filter((row) => row.system === system)
    .flatMap((ours) => {
      const others = rows.filter((row) => row.case === ours.case && row.outstanding === ours.outstanding);
      return others
        .filter((row) => row.system !== system)
        .map((theirs) => ({
          case: ours.case,
          system,
          what: `${ours.outstanding} outstanding, by ${theirs.system}`,
          value: ours.perSecond / theirs.perSecond,
          unit: ' ×',
        }));
    });
}
