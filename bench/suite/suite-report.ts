import type { Bar } from '../harness/report.ts';
import { isMet, machineLine } from '../harness/report.ts';
import type { Finding } from './bench-case.ts';
import { barList, figureTable, rowTable, untoldList } from './markdown.ts';
import type { Figure, Row } from './row.ts';
import type { SuiteOptions } from './suite-options.ts';
import { versions } from './versions.ts';

/** What a case came to. */
interface Section {
  readonly title: string;
  readonly rows: Row[];
  readonly figures: Figure[];
  readonly bars: Bar[];
  /** Bars without figures. */
  readonly untold: string[];
  readonly notes: string[];
}

/** Collects what the cases find, and makes a report of it: for people in Markdown, for programs as JSON. */
export class SuiteReport {
  readonly #options: SuiteOptions;
  readonly #flags: readonly string[];
  readonly #sections: Section[] = [];

  /** @param flags - the command line, for the header. */
  constructor(options: SuiteOptions, flags: readonly string[]) {
    this.#options = options;
    this.#flags = flags;
  }

  /** Begins a case; what is found from now on belongs to it. */
  begin(title: string): void {
    this.#sections.push({ title, rows: [], figures: [], bars: [], untold: [], notes: [] });
  }

  add(finding: Exclude<Finding, { type: 'progress' }>): void {
    const section = this.#sections.at(-1);
    switch (finding.type) {
      case 'row':
        return void section?.rows.push(finding.row);
      case 'figure':
        return void section?.figures.push(finding.figure);
      case 'bar':
        return void section?.bars.push(finding.bar);
      case 'untold':
        return void section?.untold.push(finding.what);
      case 'note':
        return void section?.notes.push(finding.text);
    }
  }

  /** Whether every bar is met, and none is left without figures. */
  get isMet(): boolean {
    return this.#sections.every(({ bars, untold }) => bars.every(isMet) && untold.length === 0);
  }

  markdown(): string {
    const { samples, sampleMs } = this.#options;
    const header = [
      '# Benchmark',
      `${machineLine()}. ${Object.entries(versions())
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}.`,
      `Flags: ${this.#flags.length === 0 ? 'none' : `\`${this.#flags.join(' ')}\``}. Medians of ${samples} samples of ` +
        `${sampleMs} ms. CPU and flushes are those of the three nodes together. Checksums, validation and ` +
        'invariants are on, as they always are.',
    ];
    return `${[...header, ...this.#sections.flatMap(sectionText)].join('\n\n')}\n`;
  }

  json(): string {
    const { samples, sampleMs } = this.#options;
    const of = <T>(list: (section: Section) => readonly T[]): readonly T[] => this.#sections.flatMap(list);
    const report = {
      machine: machineLine(),
      versions: versions(),
      flags: this.#flags,
      samples,
      sampleMs,
      rows: of(({ rows }) => rows),
      figures: of(({ figures }) => figures),
      bars: of(({ bars }) => bars.map((bar) => ({ ...bar, isMet: isMet(bar) }))),
      untold: of(({ untold }) => untold),
      notes: of(({ notes }) => notes),
    };
    return `${JSON.stringify(report, null, 2)}\n`;
  }
}

function sectionText({ title, rows, figures, bars, untold, notes }: Section): readonly string[] {
  return [
    `## ${title}`,
    ...notes,
    ...(rows.length > 0 ? [rowTable(rows)] : []),
    ...(figures.length > 0 ? [figureTable(figures)] : []),
    ...(bars.length > 0 ? [barList(bars)] : []),
    ...(untold.length > 0 ? [untoldList(untold)] : []),
  ];
}
