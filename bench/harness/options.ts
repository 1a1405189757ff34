/** The number that an option of the command line gives. Throws what a person can act on, unless it is above 0. */
export function positive(name: string, text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new Error(`--${name} is ${text}, expected a number above 0`);
}

/** As {@link positive}, of what is counted. */
export function positiveCount(name: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isSafeInteger(number)) return number;
  throw new Error(`--${name} is ${text}, expected a whole number above 0`);
}
