/** Seeded chance, so that a run can be told by its seed; what the processes make of it is up to them. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0, inclusive, to 1. */
  roll(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }

  happens(probability: number): boolean {
    return this.roll() < probability;
  }

  /** From 0 to `max`, inclusive. */
  upTo(max: number): number {
    return Math.floor(this.roll() * (max + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.roll() * from.length)] as T;
  }
}
