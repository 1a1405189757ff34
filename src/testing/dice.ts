import { drawBelow, nextRandom, type RandomState, seedRandom } from '../core/random.ts';

/** Seeded draws: the same seed gives the same draws on every machine. */
export class Dice {
  #random: RandomState;

  constructor(seed: number) {
    this.#random = seedRandom(seed);
  }

  /** An integer from 0 to `bound - 1`. */
  below(bound: number): number {
    this.#random = nextRandom(this.#random);
    return drawBelow(this.#random, bound);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True `percent` times in a hundred. */
  chance(percent: number): boolean {
    return this.below(10_000) < percent * 100;
  }

  /** One of them. There must be one. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

/** The same items in an order that the dice decide. */
export function shuffled<Item>(items: readonly Item[], dice: Dice): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(dice.below(rest.length), 1)[0] as Item);
}
