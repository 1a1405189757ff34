/** The state of a generator of random numbers: an unsigned 32-bit integer. */
export type RandomState = number;

/**
 * A generator for one node: a hash of the seed and the node's identity, so that nodes which were given
 * one seed do not draw alike.
 */
export function seedRandom(seed: number, ...names: readonly string[]): RandomState {
  let hash = mix(seed >>> 0);
  for (const name of names) {
    for (let at = 0; at < name.length; at++) hash = mix(hash ^ name.charCodeAt(at));
    hash = mix(hash ^ 0x1_0000);
  }
  return hash;
}

/** The generator after one draw. */
export function nextRandom(random: RandomState): RandomState {
  return (random + 0x9e3779b9) >>> 0;
}

/** A draw from 0 to `bound - 1`, of the generator as {@link nextRandom} left it. */
export function drawBelow(random: RandomState, bound: number): number {
  return mix(random) % bound;
}

/** Scatters the bits of a 32-bit integer (the finalizer of MurmurHash3). */
function mix(value: number): number {
  let bits = value >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
