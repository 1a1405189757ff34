import type { Dice } from '../../src/testing/dice.ts';
import { type KeyKind, KeyRecord } from './key-record.ts';

/** How many keys are worked on at a time. */
const activeMax = 24;

/** The keys of a round. One that has seen enough makes place for another. */
export class KeyPool {
  readonly #prefix: string;
  readonly #dice: Dice;
  readonly #all: KeyRecord[] = [];
  readonly #active: KeyRecord[] = [];

  constructor(prefix: string, dice: Dice) {
    this.#prefix = prefix;
    this.#dice = dice;
    while (this.#active.length < activeMax) this.#active.push(this.#newKey());
  }

  /** Every key so far. */
  get all(): readonly KeyRecord[] {
    return this.#all;
  }

  pick(): KeyRecord {
    const at = this.#dice.below(activeMax);
    const key = this.#active[at];
    if (key !== undefined && !key.isFull) return key;
    const fresh = this.#newKey();
    this.#active[at] = fresh;
    return fresh;
  }

  #newKey(): KeyRecord {
    const kind: KeyKind = this.#all.length % 2 === 0 ? 'mixed' : 'list';
    const key = new KeyRecord(`${this.#prefix}${kind}-${this.#all.length + 1}`, kind);
    this.#all.push(key);
    return key;
  }
}
