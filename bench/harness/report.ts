import { cpus, release, totalmem } from 'node:os';

/** What a benchmark may come to, and what it came to. */
export interface Bar {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** `below`: the figure has to be smaller than `limit`; `atMost`: not larger; `atLeast`: not smaller. */
  readonly must: 'below' | 'atMost' | 'atLeast';
  readonly limit: number;
}

/** The machine, in a line: figures mean little without it. */
export function machineLine(): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim()}, ${gigabytes} GiB, Linux ${release()}`;
}

/** Prints the machine and the versions. */
export function printMachine(): void {
  console.log(machineLine());
  console.log(`Node.js ${process.versions.node}; every write is flushed by a majority before it is answered`);
}

const words = { below: 'below', atMost: 'at most', atLeast: 'at least' } as const;

/** Whether a bar is met. */
export function isMet({ figure, must, limit }: Bar): boolean {
  if (must === 'below') return figure < limit;
  return must === 'atMost' ? figure <= limit : figure >= limit;
}

/** A line that says whether a bar is met. */
export function barLine(bar: Bar): string {
  const { what, figure, unit, must, limit } = bar;
  return `${isMet(bar) ? 'PASS' : 'FAIL'}  ${what}: ${short(figure)}${unit}, to be ${words[must]} ${short(limit)}${unit}`;
}

/** Prints it, and tells the process that waits for it. If the bar is not met, the process will end with 1. */
export function printBar(bar: Bar): void {
  if (!isMet(bar)) process.exitCode = 1;
  console.log(barLine(bar));
  process.send?.({ type: 'bar', bar });
}

/** The smallest, the middle and the largest of some figures. */
export function spread(figures: readonly number[]): { min: number; median: number; max: number } {
  return { min: Math.min(...figures), median: percentile(figures, 50), max: Math.max(...figures) };
}

/** The figure that so many percent are not above; `NaN` of none. The median of an even number is the mean of two. */
export function percentile(figures: readonly number[], percent: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/** A figure with as many digits as it deserves. */
export function short(figure: number): string {
  const digits = Math.abs(figure) >= 10 || Number.isInteger(figure) ? 0 : 2;
  return figure.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Bytes, in mebibytes. */
export function mebibytes(bytes: number): string {
  return `${short(Math.round(bytes / 2 ** 20))} MiB`;
}
