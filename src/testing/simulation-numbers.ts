/** The numbers that a simulation is told; one that is not there is not looked at. */
interface Numbers {
  readonly seed?: number;
  readonly nodes?: number;
  readonly steps?: number;
  /** The first of several seeds. */
  readonly from?: number;
  /** How many seeds; may be infinite. */
  readonly seeds?: number;
  readonly count?: number;
}

/** Throws a `RangeError` that says which number can't be: with it nothing would be simulated, and nothing be found. */
export function checkNumbers(numbers: Numbers): void {
  const someSeeds = (value: number) =>
    value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 1);
  const expectations = {
    seed: [Number.isSafeInteger, 'an integer'],
    nodes: [(value: number) => Number.isInteger(value) && value >= 1 && value <= 9, '1 to 9'],
    steps: [(value: number) => Number.isInteger(value) && value >= 1, 'at least 1'],
    from: [Number.isSafeInteger, 'an integer'],
    seeds: [someSeeds, 'at least 1'],
    count: [someSeeds, 'at least 1'],
  } as const;
  for (const name of Object.keys(numbers) as (keyof Numbers)[]) {
    const [isSound, expected] = expectations[name];
    if (!isSound(numbers[name] as number))
      throw new RangeError(`${name} is ${numbers[name]}, expected ${expected}`);
  }
}
