import type { Fault, Ground } from '../fault.ts';
import { faults } from './index.ts';

/** A fault was asked for that can't happen here. */
export class ImpossibleFault extends Error {
  override readonly name = 'ImpossibleFault';
}

/**
 * The faults of a run. Of those that it takes because nobody named any, it leaves out what can't happen here. Throws
 * an `ImpossibleFault` for one that was named.
 */
export function chosenFaults(names: readonly string[] | null, ground: Ground): readonly Fault[] {
  const isPossible = ({ needs }: Fault): boolean => needs?.isMet(ground) ?? true;
  if (names === null) return faults.filter(isPossible);
  const named = faults.filter(({ name }) => names.includes(name));
  const impossible = named.find((fault) => !isPossible(fault));
  if (impossible === undefined) return named;
  throw new ImpossibleFault(`--faults ${impossible.name}: it needs ${impossible.needs?.what}`);
}
