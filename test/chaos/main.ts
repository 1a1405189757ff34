/**
 * `npm run chaos`: server processes, clients that write down what they saw, and a nemesis. Ends with 1, and keeps
 * what there is to see, as soon as something is not as it was promised; and with 1 if it fell short of what it was
 * meant to do. Ends with 2 if it can't do what it was asked. docs/chaos.md says more.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Namespaces, namespaces } from '../../bench/harness/namespaces.ts';
import { chaosOptions, commandOf } from './chaos-options.ts';
import { chaosReport } from './chaos-report.ts';
import { runChaos } from './chaos-run.ts';
import { flushDisk } from './failing-disk.ts';
import { chosenFaults } from './faults/chosen-faults.ts';
import { shortfallsOf } from './shortfall.ts';
import { Tally } from './tally.ts';

const args = process.argv.slice(2);
const options = orRefused(() => chaosOptions(args));
const startedAt = new Date();
const packageFile = createRequire(import.meta.url).resolve('rxraft/package.json');
const commit = commitOf(join(packageFile, '..'));
const tallies = new Map<number, Tally>();
const net = hosts(Math.max(...options.sizes));
const hasFailingDisks = canMount();
const faults = orRefused(() =>
  options.sizes.flatMap((size) => chosenFaults(options.faults, { size, net, hasFailingDisks })),
);
const names = [...new Set(faults.map(({ name }) => name))];
let violation: string | null = null;

say(`seed ${options.seed}; faults: ${names.join(' ')}`);
for (const size of options.sizes) {
  const tally = new Tally();
  tallies.set(size, tally);
  const durationMs = (60_000 * options.minutes) / options.sizes.length;
  say(`${size} nodes for ${(durationMs / 60_000).toFixed(1)} minutes`);
  try {
    await runChaos({ size, durationMs, options, net, hasFailingDisks, tally, say });
  } catch (error) {
    violation = error instanceof Error ? error.message : String(error);
    say(`VIOLATION  ${error instanceof Error ? error.stack : String(error)}`);
    break;
  }
}
const shortfalls =
  violation === null ? shortfallsOf({ minutes: options.minutes, faults: names, tallies }) : [];
for (const shortfall of shortfalls) say(`SHORTFALL  ${shortfall}`);
const report = reportOf();
console.log(`\n${report}`);
if (options.report !== null) writeFileSync(options.report, report);
process.exit(violation === null && shortfalls.length === 0 ? 0 : 1);

function reportOf(): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  const { seed } = options;
  const isInNamespaces = net !== null;
  return chaosReport({
    command: commandOf(args, seed),
    seed,
    version,
    commit,
    startedAt,
    isInNamespaces,
    hasFailingDisks,
    tallies,
    violation,
    shortfalls,
  });
}

/** What `work` says, unless it throws: then the run is refused. */
function orRefused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

function commitOf(folder: string): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function hosts(count: number): Namespaces | null {
  const found = namespaces(count);
  if (!('problem' in found)) return found;
  say(`all nodes on this host: network namespaces take root (${found.problem})`);
  return null;
}

function canMount(): boolean {
  const path = join(tmpdir(), `rxraft-chaos-mount-${process.pid}`);
  try {
    flushDisk(path).remove();
    return true;
  } catch (error) {
    say(`no failing disks: mounting takes root (${error instanceof Error ? error.message : String(error)})`);
    return false;
  } finally {
    for (const each of [path, `${path}.outer`]) rmSync(each, { recursive: true, force: true });
  }
}

function say(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
