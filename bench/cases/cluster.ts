import { short } from '../harness/report.ts';
import type { Operation } from '../load/client.ts';
import type { BenchCase, Findings } from '../suite/bench-case.ts';
import { measure, rowOf, warmUp } from '../suite/measure.ts';
import type { SuiteOptions } from '../suite/suite-options.ts';
import type { System } from '../systems/system.ts';
import { systems } from '../systems/systems.ts';
import { withStarted } from './started.ts';

const outstandings = [1, 16, 64, 256, 1_000];
const sizes = [128, 1_024, 16_384];
const defaultBytes = 128;
/** What is read or mixed is measured at these. */
const readOutstandings = [64, 1_000];

/** What is measured of a cluster that was started for one size of commands. */
interface Point {
  readonly operation: Operation;
  readonly outstanding: number;
}

/** Three nodes, each a process, with default settings: writes and reads of every kind, driven in every way. */
export const clusterCase: BenchCase = {
  title: 'Cluster: three processes, on disk, each answer after application',
  isDefault: true,
  run: (options, findings) =>
    runClusters(
      systems.filter((system) => isWanted(system, options)),
      options,
      findings,
    ),
};

/** Measures these systems one after the other, each on its own. */
export async function runClusters(
  wanted: readonly System[],
  options: SuiteOptions,
  findings: Findings,
): Promise<void> {
  for (const system of wanted) {
    const missing = system.missing();
    if (missing === null) await runCluster(system, options, findings);
    else findings.note(`${system.name} is left out: ${missing}`);
  }
}

async function runCluster(system: System, options: SuiteOptions, findings: Findings): Promise<void> {
  const { name, driver, flushes } = system;
  findings.note(`${name}, ${driver}: ${flushes}.`);
  for (const bytes of options.bytes ?? (options.isQuick ? [defaultBytes] : sizes)) {
    await withStarted(system, bytes, async (running) => {
      await warmUp(running, options.warmUpMs);
      for (const { operation, outstanding } of pointsOf(system, bytes, options)) {
        findings.progress(`${name}, ${driver}: ${operation} of ${bytes} bytes, ${outstanding} outstanding`);
        const samples = await measure(running, { ...options, operation, outstanding });
        const row = rowOf(samples, { case: `${driver} ${operation}`, system: name, outstanding, bytes });
        findings.row(row);
        findings.progress(`  ${short(row.perSecond)} a second, p50 ${short(row.p50Ms ?? 0)} ms`);
      }
    });
  }
}

/** Reads are measured with the default size only: they do not carry the value further than the client. */
function pointsOf(system: System, bytes: number, options: SuiteOptions): readonly Point[] {
  const operations = system.operations.filter((operation) => options.operations?.includes(operation) ?? true);
  return operations.flatMap((operation): readonly Point[] => {
    if (operation !== 'write' && bytes !== (options.bytes?.[0] ?? defaultBytes)) return [];
    const wanted = operation === 'write' || operation === 'read' ? outstandings : readOutstandings;
    const chosen = options.outstanding ?? (options.isQuick ? [64] : wanted);
    return chosen.map((outstanding) => ({ operation, outstanding }));
  });
}

/** Peers are measured when they are asked for: `npm run bench -- peers`. */
function isWanted({ name, driver }: System, { systems: names, drivers }: SuiteOptions): boolean {
  const isNamed = names?.includes(name) ?? (name.startsWith('rxraft') || name === 'prototype');
  return isNamed && (drivers?.includes(driver) ?? true);
}
