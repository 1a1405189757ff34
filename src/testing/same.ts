import { apart, seenWords } from './words-of.ts';

/** Compares all that can be seen of two values, bytes too. The order of names does not count. */
export function same(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [seenWords(actual), seenWords(expected)];
  if (is === should) return;
  const [shownIs, shownShould] = apart(is, should);
  throw new Error(`${what}: expected ${shownShould}, got ${shownIs}`);
}
