import type { KeyText } from './key-text.ts';

/** Keys from `from` (inclusive) to `to` (exclusive); `undefined` is the beginning or the end. */
export interface TextBounds {
  readonly from?: KeyText | undefined;
  readonly to?: KeyText | undefined;
}

/**
 * A map that can be walked in the order of its keys. Setting and getting cost what a `Map` costs; the order is
 * made when somebody asks for it, and only new keys are sorted in.
 */
export class KeyMap<V> {
  readonly #values = new Map<KeyText, V>();
  #sorted: KeyText[] = [];
  #added: KeyText[] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: KeyText): V | undefined {
    return this.#values.get(key);
  }

  /** Sets a value, and gives the one before it. */
  set(key: KeyText, value: V): V | undefined {
    const before = this.#values.get(key);
    if (before === undefined && !this.#values.has(key)) this.#added.push(key);
    this.#values.set(key, value);
    return before;
  }

  delete(key: KeyText): void {
    if (!this.#values.delete(key)) return;
    this.#sorted = [];
    this.#added = [...this.#values.keys()];
  }

  /** All entries, in no order. */
  entries(): Iterable<readonly [KeyText, V]> {
    return this.#values;
  }

  /** Entries in the order of their keys. Entries set meanwhile are seen or not. */
  *range({ from, to }: TextBounds): Generator<readonly [KeyText, V]> {
    const keys = this.#order();
    for (let at = from === undefined ? 0 : placeOf(keys, from); at < keys.length; at++) {
      const key = keys[at] as KeyText;
      if (to !== undefined && key >= to) return;
      const value = this.#values.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  #order(): readonly KeyText[] {
    if (this.#added.length === 0) return this.#sorted;
    // A new array, since a walk may be under way over the old one. Merging runs that are sorted is fast.
    this.#sorted = this.#sorted.concat(this.#added).sort(byText);
    this.#added = [];
    return this.#sorted;
  }
}

function byText(a: KeyText, b: KeyText): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By bisection: where the first key not below `from` stands. */
function placeOf(keys: readonly KeyText[], from: KeyText): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as KeyText) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
