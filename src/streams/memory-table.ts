import type { TableStore } from './session-rows.ts';

/** A key as a string, one character a byte: such compare with `<` as their bytes do. */
type KeyText = string;
type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** A leaf is split in two beyond this: to move the rest of it aside for a new key takes below 1 µs. */
const leafKeysMax = 512;

/**
 * A table in memory, for a machine in memory: rebuilt from snapshot and log together with it.
 *
 * It is in the order of its keys at all times: they stand in leaves, found by bisection, so that what one command
 * costs does not depend on how many sessions there are.
 */
export class MemoryTable implements TableStore {
  readonly #entries = new Map<KeyText, Entry>();
  /** All keys, ascending; no leaf is empty. */
  readonly #leaves: KeyText[][] = [];

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(textOf(key))?.[1];
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const text = textOf(key);
    if (!this.#entries.has(text)) this.#insert(text);
    this.#entries.set(text, [key, value]);
  }

  delete(key: Uint8Array): void {
    const text = textOf(key);
    if (!this.#entries.delete(text)) return;
    const at = this.#leafOf(text);
    const leaf = this.#leaves[at] as KeyText[];
    leaf.splice(placeOf(leaf, text), 1);
    if (leaf.length === 0) this.#leaves.splice(at, 1);
  }

  /** In order; nothing may be put or deleted while it is walked. */
  *range({ from, to }: { readonly from?: Uint8Array; readonly to?: Uint8Array }): Generator<Entry> {
    const start = from === undefined ? '' : textOf(from);
    const end = to === undefined ? undefined : textOf(to);
    for (let at = this.#leafOf(start); at < this.#leaves.length; at++) {
      const leaf = this.#leaves[at] as KeyText[];
      for (let place = placeOf(leaf, start); place < leaf.length; place++) {
        const text = leaf[place] as KeyText;
        if (end !== undefined && text >= end) return;
        yield this.#entries.get(text) as Entry;
      }
    }
  }

  #insert(text: KeyText): void {
    const at = this.#leafOf(text);
    const leaf = this.#leaves[at];
    if (leaf === undefined) {
      this.#leaves.push([text]);
      return;
    }
    leaf.splice(placeOf(leaf, text), 0, text);
    if (leaf.length > leafKeysMax) this.#leaves.splice(at + 1, 0, leaf.splice(leafKeysMax / 2));
  }

  /** Which leaf holds a key, or would. */
  #leafOf(text: KeyText): number {
    const after = firstNot(this.#leaves, (leaf) => (leaf[0] as KeyText) <= text);
    return Math.max(0, after - 1);
  }
}

/** Where a key stands in a leaf, or would. */
function placeOf(leaf: readonly KeyText[], text: KeyText): number {
  return firstNot(leaf, (other) => other < text);
}

/** By bisection: where the first item stands for which something does not hold that holds for all before. */
function firstNot<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function textOf(key: Uint8Array): KeyText {
  return String.fromCharCode(...key);
}
