/** The longest wait that a timer keeps, in milliseconds, 24.8 days: with a longer one it fires at once. */
export const timerMsMax = 2 ** 31 - 1;

/** Limits as they are given, and the default ones where they are not. */
export function limitsOf<Limits extends object>(given: Partial<Limits>, defaults: Limits): Limits {
  const entries = Object.entries(defaults).map(([name, value]) => [
    name,
    given[name as keyof Limits] ?? value,
  ]);
  return Object.fromEntries(entries) as Limits;
}

/** What is wrong with limits, in words: they are positive integers, and those in milliseconds no longer than a timer's. */
export function limitProblems(limits: object): readonly string[] {
  return [...countProblems(limits), ...timerProblems(limits)];
}

/** Which of these are no positive integers, in words. */
export function countProblems(counts: object): readonly string[] {
  return Object.entries(counts)
    .filter(([, value]) => !isCount(value))
    .map(([name, value]) => `${name} is ${shown(value)}, expected a positive integer`);
}

/** Which of these integers no timer keeps, in words. Those whose names are not of milliseconds are left out. */
export function timerProblems(limits: object): readonly string[] {
  return Object.entries(limits)
    .filter(([name, value]) => /Ms(Min|Max)?$/.test(name) && isCount(value) && value > timerMsMax)
    .map(([name, value]) => `${name} is ${value}, expected at most ${timerMsMax} milliseconds (24.8 days)`);
}

/** Problems as the end of a message. */
export function problemList(problems: readonly string[]): string {
  return problems.map((problem) => `\n  - ${problem}`).join('');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
