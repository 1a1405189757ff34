/** A claim, and what to say when it does not hold. */
export type Claim = readonly [holds: boolean, problem: string];

/** What to say of the first claim that does not hold; `undefined` if all do. */
export function firstBroken(claims: readonly Claim[]): string | undefined {
  return claims.find(([holds]) => !holds)?.[1];
}

/** Whether each value is above the one before it. */
export function isAscending(values: readonly number[]): boolean {
  return values.every((value, at) => at === 0 || value > (values[at - 1] as number));
}
