/** The longest wait that a timer keeps, in milliseconds, 24.8 days: with a longer one it fires at once. */
export const timerMsMax = 2 ** 31 - 1;

/** Which of these options no timer keeps, in words. Those whose names are not of milliseconds are left out. */
export function timerProblems(options: object): readonly string[] {
  return Object.entries(options)
    .filter(([name, value]) => /Ms(Min|Max)?$/.test(name) && value > timerMsMax)
    .map(([name, value]) => `${name} is ${value}, expected at most ${timerMsMax} milliseconds (24.8 days)`);
}
