import type { Bar } from '../harness/report.ts';
import type { Figure, Row } from './row.ts';
import type { SuiteOptions } from './suite-options.ts';

/** What a case finds out, one thing at a time, for the process that reports. */
export type Finding =
  | { readonly type: 'row'; readonly row: Row }
  | { readonly type: 'figure'; readonly figure: Figure }
  | { readonly type: 'bar'; readonly bar: Bar }
  /** A bar that there are no figures for, which counts as missed. */
  | { readonly type: 'untold'; readonly what: string }
  /** A sentence of the report. */
  | { readonly type: 'note'; readonly text: string }
  /** What is being done now. */
  | { readonly type: 'progress'; readonly text: string };

/** Where a case says what it finds. */
export interface Findings {
  row(row: Row): void;
  figure(figure: Figure): void;
  bar(bar: Bar): void;
  untold(what: string): void;
  note(text: string): void;
  progress(text: string): void;
}

/** What can be measured by itself, in a process of its own. */
export interface BenchCase {
  /** What it measures, in the words of a headline. */
  readonly title: string;
  /** Whether `npm run bench` runs it without being asked. */
  readonly isDefault: boolean;
  run(options: SuiteOptions, findings: Findings): Promise<void>;
}
