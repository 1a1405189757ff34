import { checkLinearizability, type LinearizabilityOptions, registerModel } from '../../src/testing/index.ts';
import { ChaosViolation } from './chaos-violation.ts';
import type { KeyRecord } from './key-record.ts';
import type { Tally } from './tally.ts';

/**
 * Judges all that clients saw of a key, and counts it. Throws a `ChaosViolation`. `final` is what the key is at the end.
 *
 * A history that the steps are too few for has shown nothing: it is not among the `keys`, which are right.
 */
export function judgeKey(
  key: KeyRecord,
  final: string | null,
  tally: Tally,
  limits: LinearizabilityOptions = {},
): void {
  const verdict = checkLinearizability(registerModel, key.history, limits);
  if (verdict.type === 'violation') throw new ChaosViolation(verdict.message, [key]);
  const wrong = key.wrongStaleRead(final);
  if (wrong !== null) throw new ChaosViolation(wrong, [key]);
  if (verdict.type === 'undecided') tally.undecidedKeys += 1;
  else tally.keys += 1;
  tally.staleReads += key.staleReads.length;
  tally.longestHistory = Math.max(tally.longestHistory, key.history.length);
}
