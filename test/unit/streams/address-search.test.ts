import { describe, expect, it } from 'vitest';
import { AddressSearch, type Whereabouts } from '../../../src/streams/address-search.ts';

/** A search at 0 milliseconds, for n2. */
function searching() {
  let nowMs = 0;
  const search = new AddressSearch({ clock: () => nowMs, briefMs: 250 });
  const choose = (urls: readonly string[], more: Partial<Whereabouts> = {}) =>
    search.choose([{ id: 'n2', urls, isReached: false, isFirstBrief: false, ...more }])[0]?.url;
  /** The addresses that are dialed in so many milliseconds, and how long each. */
  const turns = (urls: readonly string[], ms: number, more: Partial<Whereabouts> = {}) => {
    const dialed: [url: string | undefined, ms: number][] = [[choose(urls, more), 0]];
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 25) {
      if (!search.isDue(() => false)) continue;
      dialed.push([choose(urls, more), nowMs]);
    }
    return dialed.map(([url, sinceMs], at) => [url, (dialed[at + 1]?.[1] ?? nowMs) - sinceMs]);
  };
  return { search, choose, turns };
}

describe('a node of which several addresses are known', () => {
  it('is dialed at one after the other, longer in each round', () => {
    const { turns } = searching();

    expect(turns(['a', 'b'], 14_000)).toEqual([
      ['a', 1000],
      ['b', 1000],
      ['a', 2000],
      ['b', 2000],
      ['a', 4000],
      ['b', 4000],
    ]);
  });

  it('keeps the connection that is open, and is dialed at the first address once it is down', () => {
    const { search, choose, turns } = searching();
    turns(['a', 'b'], 1500);

    const reached = choose(['a', 'b'], { isReached: true });
    const moved = choose(['c', 'a', 'b'], { isReached: true });
    const due = [search.isDue(() => true), search.isDue(() => false)];

    expect([reached, moved, due, choose(['c', 'a', 'b'])]).toEqual(['b', 'b', [false, true], 'c']);
  });

  it('is dialed at once at an address that comes to be known, and at one that it tells', () => {
    const { search, choose } = searching();
    choose(['a', 'b']);

    const fresh = choose(['a', 'b', 'c']);
    const isTurned = search.turnTo({ id: 'n2', url: 'b' });

    expect([fresh, isTurned, choose(['a', 'b', 'c'])]).toEqual(['c', true, 'b']);
  });

  it('is needed where it is while it is asked elsewhere for its store', () => {
    const { choose, turns } = searching();
    choose(['a', 'b'], { isReached: true });

    expect(turns(['new', 'a', 'b'], 2_250, { isFirstBrief: true })).toEqual([
      ['new', 250],
      ['a', 1000],
      ['b', 1000],
    ]);
  });

  it('stays where it is dialed if there is only one', () => {
    expect(searching().turns(['a'], 10_000)).toEqual([['a', 10_000]]);
  });
});
