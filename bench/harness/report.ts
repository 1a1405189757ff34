import { cpus, release, totalmem } from 'node:os';

/** What a benchmark may come to, and what it came to. */
export interface Bar {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** `below`: the figure has to be smaller than `limit`; `atLeast`: not smaller. */
  readonly must: 'below' | 'atLeast';
  readonly limit: number;
}

/** Prints the machine and the versions: figures mean little without them. */
export function printMachine(): void {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  console.log(`${cpus().length} × ${cpu?.model.trim()}, ${gigabytes} GiB, Linux ${release()}`);
  console.log(`Node.js ${process.versions.node}; every write is flushed by a majority before it is answered`);
}

/** Prints a line that says whether a bar is met. If it is not, the process will end with 1. */
export function printBar({ what, figure, unit, must, limit }: Bar): void {
  const isMet = must === 'below' ? figure < limit : figure >= limit;
  if (!isMet) process.exitCode = 1;
  const word = must === 'below' ? 'below' : 'at least';
  console.log(
    `${isMet ? 'PASS' : 'FAIL'}  ${what}: ${short(figure)}${unit}, to be ${word} ${short(limit)}${unit}`,
  );
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
