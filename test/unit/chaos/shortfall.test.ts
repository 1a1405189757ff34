import { describe, expect, it } from 'vitest';
import { shortfallsOf } from '../../chaos/shortfall.ts';
import { Tally } from '../../chaos/tally.ts';

/** A run of a cluster of three. */
function done(did: Partial<Tally>, faultsHad: readonly string[] = [], minutes = 1) {
  const tally = Object.assign(new Tally(), { rounds: 1, keys: 500, ...did });
  for (const name of faultsHad) tally.fault(name);
  return { minutes, faults: ['kill', 'cut'], tallies: new Map([[3, tally]]) };
}

describe('a run that found nothing', () => {
  it('is good if it has judged nearly all of what it saw', () => {
    expect(shortfallsOf(done({ undecidedKeys: 5 }))).toEqual([]);
  });

  it('falls short without a round', () => {
    expect(shortfallsOf(done({ rounds: 0, keys: 0 }))).toEqual(['no round with 3 nodes']);
  });

  it('falls short with more than one history in a hundred that was too hard to judge', () => {
    expect(shortfallsOf(done({ undecidedKeys: 6 }))).toEqual([
      '6 of 506 histories with 3 nodes were too hard to judge',
    ]);
  });

  it('falls short if it was long and some fault never struck', () => {
    expect(shortfallsOf(done({}, ['kill'], 10))).toEqual(['never struck: cut']);
    expect(shortfallsOf(done({}, ['kill'], 9))).toEqual([]);
    expect(shortfallsOf(done({}, ['kill', 'cut'], 60))).toEqual([]);
  });
});
