import type { BenchCase, Findings } from '../suite/bench-case.ts';
import { measure, rowOf, type UsedSample, warmUp } from '../suite/measure.ts';
import type { SuiteOptions } from '../suite/suite-options.ts';
import type { System } from '../systems/system.ts';
import { systems } from '../systems/systems.ts';
import { barsOf, caseOf, cpuBars, ratioBars, sessionRatiosOf } from './gate-bars.ts';
import { withStarted } from './started.ts';

const bytes = 128;

/** What is measured of a system, and its samples so far: one a round. */
interface Cell {
  readonly system: System;
  readonly operation: 'write' | 'read';
  readonly outstanding: number;
  readonly samples: UsedSample[];
}

/**
 * The ratios that the library is held to. Ours, the peers and the prototype take turns, a fresh cluster each time, so
 * that an hour in which the machine is slow is slow for all of them.
 */
export const gateCase: BenchCase = {
  title: 'Gate: ours by the peers and by the ceiling, in turns',
  isDefault: false,
  async run(options, findings) {
    const cells = cellsOf(options);
    const measured = systems.filter((system) => cells.some((cell) => cell.system === system));
    const present = measured.filter((system) => isPresent(system, findings));
    for (let round = 1; round <= options.samples; round++) {
      for (const system of present) {
        findings.progress(`round ${round} of ${options.samples}: ${system.name}, ${system.driver}`);
        const own = cells.filter((cell) => cell.system === system);
        await withStarted(system, bytes, async (running) => {
          await warmUp(running, options.warmUpMs, own);
          for (const { operation, outstanding, samples } of own)
            samples.push(...(await measure(running, { ...options, operation, outstanding, samples: 1 })));
        });
      }
    }
    tell(cells, options, findings);
  },
};

function isPresent({ name, driver, flushes, missing }: System, findings: Findings): boolean {
  const reason = missing();
  findings.note(`${name}, ${driver}: ${reason === null ? flushes : `left out: ${reason}`}.`);
  return reason === null;
}

/** Every point that a bar needs, of every system that it compares. */
function cellsOf({ systems: names, drivers }: SuiteOptions): readonly Cell[] {
  const points = [
    ...ratioBars.map(({ driver, operation, outstanding }) => ({ driver, operation, outstanding })),
    ...cpuBars.map(({ outstanding }) => ({ driver: 'embedded', operation: 'write', outstanding }) as const),
  ];
  const cells: Cell[] = [];
  for (const system of systems) {
    if (names?.includes(system.name) === false || drivers?.includes(system.driver) === false) continue;
    for (const { driver, operation, outstanding } of points) {
      const isKnown = cells.some(
        (cell) => cell.system === system && cell.operation === operation && cell.outstanding === outstanding,
      );
      const isAsked = driver === system.driver && system.operations.includes(operation);
      if (isAsked && !isKnown) cells.push({ system, operation, outstanding, samples: [] });
    }
  }
  return cells;
}

function tell(cells: readonly Cell[], options: SuiteOptions, findings: Findings): void {
  const rows = cells
    .filter(({ samples }) => samples.length > 0)
    .map(({ system: { name, driver }, operation, outstanding, samples }) =>
      rowOf(samples, { case: caseOf(driver, operation), system: name, outstanding, bytes }),
    );
  const sorted = [...rows].sort(
    (a, b) => a.case.localeCompare(b.case) || (a.outstanding ?? 0) - (b.outstanding ?? 0),
  );
  for (const row of sorted) findings.row(row);
  for (const figure of sessionRatiosOf(rows)) findings.figure(figure);
  const { bars, untold, left } = barsOf(rows, options);
  for (const bar of bars) findings.bar(bar);
  for (const what of untold) findings.untold(what);
  if (left.length > 0) findings.note(`Not compared, as the command line has it: ${left.join('; ')}.`);
}
