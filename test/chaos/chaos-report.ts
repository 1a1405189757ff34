import { cpus, release, totalmem } from 'node:os';
import { short } from '../../bench/harness/report.ts';
import { abortedInLmdb, endedBySignal } from './faults/disk-end.ts';
import { faultNames } from './faults/index.ts';
import type { Tally } from './tally.ts';

/** What a report is about. */
export interface ReportFacts {
  readonly command: string;
  readonly seed: number;
  readonly version: string;
  readonly commit: string;
  readonly startedAt: Date;
  readonly isInNamespaces: boolean;
  readonly hasFailingDisks: boolean;
  /** By size of the cluster. */
  readonly tallies: ReadonlyMap<number, Tally>;
  /** `null` if there was none. */
  readonly violation: string | null;
  /** Why it says less than it was meant to. */
  readonly shortfalls: readonly string[];
}

/** The report of a run, in Markdown. */
export function chaosReport(facts: ReportFacts): string {
  const { tallies } = facts;
  const sizes = [...tallies.keys()];
  const columns = sizes.map((size) => `${size} nodes`);
  const all = [...tallies.values()];
  const row = (name: string, of: (tally: Tally) => number | string): readonly string[] => [
    name,
    ...all.map((tally) => textOf(of(tally))),
  ];
  const rowsOf = (
    names: readonly string[],
    of: (tally: Tally, name: string) => number,
  ): readonly string[][] => names.map((name) => [...row(name, (tally) => of(tally, name))]);
  return [
    '# Report of a run of process chaos',
    '',
    verdictOf(facts),
    '',
    'Written by the run itself; [chaos.md](chaos.md) says what the words mean. Again:',
    '',
    `    ${facts.command}`,
    '',
    ...machineLines(facts),
    '',
    '## What was done',
    '',
    table(
      ['', ...columns],
      [
        [...row('minutes', ({ minutes }) => minutes.toFixed(1))],
        [...row('rounds', ({ rounds }) => rounds)],
        [...row('operations', (tally) => tally.total())],
        [...row('of these `ok`', (tally) => tally.total('ok'))],
        [...row('of these `notCommitted`', (tally) => tally.total('notCommitted'))],
        [...row('of these `unknown`, writes all', (tally) => tally.total('unknown'))],
        [...row('of these reads without an answer', (tally) => tally.total('unanswered'))],
        [...row('requests of sessions sent again', ({ retries }) => retries)],
        [...row('faults', ({ faults }) => sumOf(faults))],
        [...row('term reached', ({ terms }) => terms)],
        [...row('slowest recovery, ms', ({ recoveriesMs }) => Math.round(Math.max(0, ...recoveriesMs)))],
        [...row('median recovery, ms', ({ recoveriesMs }) => Math.round(medianOf(recoveriesMs)))],
      ],
    ),
    '',
    '## What was judged',
    '',
    table(
      ['', ...columns],
      [
        [...row('histories of keys that are linearizable', ({ keys }) => keys)],
        [...row('operations in the longest', ({ longestHistory }) => longestHistory)],
        [...row('histories too hard to judge', ({ undecidedKeys }) => undecidedKeys)],
        [...row('stale reads, of values that were', ({ staleReads }) => staleReads)],
        ...rowsOf([endedBySignal, abortedInLmdb], ({ notes }, name) => notes.get(name) ?? 0),
        [...row('acknowledged writes looked for to the end, on each node', ({ ledgerKeys }) => ledgerKeys)],
      ],
    ),
    '',
    '## Faults',
    '',
    table(
      ['kind', ...columns],
      rowsOf(faultNames, ({ faults }, name) => faults.get(name) ?? 0),
    ),
    '',
    '## Operations and their outcomes',
    '',
    table(
      ['operation', ...columns.map((column) => `${column}: ok / notCommitted / unknown / unanswered`)],
      namesIn(all.map(({ operations }) => operations)).map((name) => [
        ...row(name, ({ operations }) => outcomesOf(operations.get(name))),
      ]),
    ),
    '',
    '## Answers of the servers, one for each sending',
    '',
    table(
      ['code', ...columns],
      rowsOf(namesIn(all.map(({ answers }) => answers)), (tally, name) => tally.answers.get(name) ?? 0),
    ),
    '',
    '## Noted on the way',
    '',
    table(
      ['', ...columns],
      rowsOf(namesIn(all.map(({ notes }) => notes)), (tally, name) => tally.notes.get(name) ?? 0),
    ),
    '',
  ].join('\n');
}

function verdictOf({ violation, shortfalls }: ReportFacts): string {
  if (violation !== null) return `**A violation was found.**\n\n    ${violation.replaceAll('\n', '\n    ')}`;
  if (shortfalls.length === 0) return '**No violation was found.**';
  return `**No violation was found, but the run fell short:** ${shortfalls.join('; ')}.`;
}

function machineLines(facts: ReportFacts): readonly string[] {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const where = facts.isInNamespaces
    ? 'each node in a network namespace of its own'
    : 'all nodes on loopback';
  const disks = facts.hasFailingDisks
    ? 'data folders on a small tmpfs, on ext4 in a file on one, and, of the last node, on the disk of the machine'
    : 'no disks that can be made to fail';
  return [
    `- begun ${facts.startedAt.toISOString()}, seed ${facts.seed}`,
    `- rxraft ${facts.version}, commit ${facts.commit}, Node.js ${process.versions.node}`,
    `- ${cpus().length} × ${cpu?.model.trim()}, ${gigabytes} GiB, Linux ${release()}`,
    `- ${where}; ${disks}`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${head.map((_, at) => (at === 0 ? '---' : '---:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function outcomesOf(outcomes: ReadonlyMap<string, number> | undefined): string {
  const names = ['ok', 'notCommitted', 'unknown', 'unanswered'];
  return names.map((outcome) => textOf(outcomes?.get(outcome) ?? 0)).join(' / ');
}

function namesIn(maps: readonly ReadonlyMap<string, unknown>[]): readonly string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
}

function textOf(value: number | string): string {
  return typeof value === 'number' ? short(value) : value;
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}

function medianOf(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
