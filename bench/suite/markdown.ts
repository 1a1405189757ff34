import { type Bar, barLine, short } from '../harness/report.ts';
import type { Figure, Row } from './row.ts';

/** A table in Markdown. */
export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...lines.map(line)].join('\n');
}

/** Rates, with their spread. */
export function rowTable(rows: readonly Row[]): string {
  const head = [
    'case',
    'system',
    'outstanding',
    'bytes',
    'a second',
    'least to most',
    'p50 ms',
    'p99 ms',
    'CPU µs each',
    'of clients',
    'flushes a second',
  ];
  const cells = (row: Row): readonly string[] => [
    row.case,
    row.system,
    orNone(row.outstanding),
    orNone(row.bytes),
    short(row.perSecond),
    `${short(row.spread.min)} to ${short(row.spread.max)}`,
    orNone(row.p50Ms),
    orNone(row.p99Ms),
    orNone(row.cpuUs),
    orNone(row.clientsCpuUs),
    orNone(row.flushesPerSecond),
  ];
  return table(head, rows.map(cells));
}

export function figureTable(figures: readonly Figure[]): string {
  const head = ['case', 'system', 'what', 'figure'];
  return table(
    head,
    figures.map(({ case: name, system, what, value, unit }) => [
      name,
      system,
      what,
      `${short(value)}${unit}`,
    ]),
  );
}

export function barList(bars: readonly Bar[]): string {
  return bars.map((bar) => `- ${barLine(bar)}`).join('\n');
}

export function untoldList(untold: readonly string[]): string {
  return untold.map((what) => `- FAIL  ${what}: there are no figures to tell it by`).join('\n');
}

function orNone(figure: number | null): string {
  return figure === null ? '–' : short(figure);
}
