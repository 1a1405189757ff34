/** A generator of numbers in [0, 1): the same seed gives the same numbers on every machine. */
export type Random = () => number;

/** A generator from a 32-bit seed (mulberry32). For jitter and faults, not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A seed for who gave none. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 0x1_0000_0000);
}
