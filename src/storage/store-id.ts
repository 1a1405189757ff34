import type { StoreId } from '../core/index.ts';

/** A random name for a new store: 16 hexadecimal digits. Two stores of one cluster won't draw the same. */
export function newStoreId(): StoreId {
  const words = globalThis.crypto.getRandomValues(new Uint32Array(2));
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}
