import type { Tally } from './tally.ts';

/** So many of a hundred histories may be too hard to judge; in a short run it may be one. */
const undecidedPercentMax = 1;
/** A run that is meant to last so long must have had each of its faults. */
const wholeMinutes = 10;

/** What a run was meant to do, and what it did. */
export interface Done {
  readonly minutes: number;
  /** The names of its faults. */
  readonly faults: readonly string[];
  /** By size of the cluster. */
  readonly tallies: ReadonlyMap<number, Tally>;
}

/** Why a run that has found nothing says less than it seems to; empty if it says what it was meant to. */
export function shortfallsOf({ minutes, faults, tallies }: Done): readonly string[] {
  const all = [...tallies];
  const idle = all.filter(([, { rounds }]) => rounds === 0).map(([size]) => `no round with ${size} nodes`);
  const vague = all.flatMap(([size, { keys, undecidedKeys }]) => {
    const undecidedMax = Math.max(1, ((keys + undecidedKeys) * undecidedPercentMax) / 100);
    const text = `${undecidedKeys} of ${keys + undecidedKeys} histories with ${size} nodes were too hard to judge`;
    return undecidedKeys > undecidedMax ? [text] : [];
  });
  const isMissing = (name: string): boolean => all.every(([, tally]) => !tally.faults.has(name));
  const missing = minutes < wholeMinutes ? [] : faults.filter(isMissing);
  return [...idle, ...vague, ...(missing.length === 0 ? [] : [`never struck: ${missing.join(', ')}`])];
}
