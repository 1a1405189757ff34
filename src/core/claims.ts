/**
 * A claim, and what to say when it does not hold. Words with numbers in them are a function: they cost more than the
 * claim. For what is rarely looked at: where it is asked after every step, a list of claims costs more than the claims.
 */
export type Claim = readonly [holds: boolean, problem: string | (() => string)];

/** What to say of the first claim that does not hold; `undefined` if all do. */
export function firstBroken(claims: readonly Claim[]): string | undefined {
  for (const [holds, problem] of claims) {
    if (!holds) return typeof problem === 'string' ? problem : problem();
  }
  return undefined;
}

/** Whether what each item has is above what the one before it has. */
export function isAscendingBy<Item>(items: readonly Item[], measure: (item: Item) => number): boolean {
  for (let at = 1; at < items.length; at++) {
    if (measure(items[at] as Item) <= measure(items[at - 1] as Item)) return false;
  }
  return true;
}
