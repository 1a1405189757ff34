import type { StatusRow } from './status-rows.ts';

/** How a column is written: numbers to the right. */
interface Column {
  readonly title: string;
  readonly width: number;
  readonly isRight?: boolean;
  readonly cell: (row: StatusRow) => string;
}

const marks: Readonly<Record<StatusRow['role'], string>> = {
  leader: '★ leader',
  follower: '● follower',
  learner: '■ learner',
  outside: '○ outside',
  preCandidate: '◌ preCandidate',
  candidate: '◌ candidate',
  down: '✕ down',
  unknown: '? unknown',
};

const columns: readonly Column[] = [
  { title: 'NODE', width: 4, cell: ({ id }) => id },
  { title: 'ROLE', width: 10, cell: ({ role }) => marks[role] },
  { title: 'TERM', width: 4, isRight: true, cell: ({ term }) => number(term) },
  { title: 'LAST', width: 5, isRight: true, cell: ({ lastIndex }) => number(lastIndex) },
  { title: 'COMMIT', width: 6, isRight: true, cell: ({ commitIndex }) => number(commitIndex) },
  { title: 'APPLIED', width: 7, isRight: true, cell: ({ lastApplied }) => number(lastApplied) },
  { title: 'LAG', width: 3, isRight: true, cell: ({ lag }) => number(lag) },
  { title: 'RTT', width: 6, cell: ({ rttMs }) => (rttMs === null ? '-' : `${rttMs.toFixed(1)} ms`) },
  { title: 'LINK', width: 4, cell: ({ link }) => link ?? '-' },
];

/** A title and one line for each row, in columns as wide as they need to be; no line ends in spaces. */
export function statusTable(rows: readonly StatusRow[]): readonly string[] {
  const widths = columns.map(({ width, cell }) =>
    Math.max(width, ...rows.map((row) => [...cell(row)].length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.isRight === true))
      .join('  ')
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    ...rows.map((row) => line(columns.map(({ cell }) => cell(row)))),
  ];
}

function number(value: number | null): string {
  return value === null ? '-' : String(value);
}

function pad(cell: string, width: number, isRight: boolean): string {
  const spaces = ' '.repeat(Math.max(0, width - [...cell].length));
  return isRight ? spaces + cell : cell + spaces;
}
