/** Something that Raft promises did not hold. The message says what, with the numbers. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Nothing that Raft promises failed to hold, but what was to be tried was not: the run shows nothing. */
export class NotExercised extends Error {
  override readonly name = 'NotExercised';
}

/** Throws if there is a problem. */
export function expectNone(problem: string | undefined): void {
  if (problem !== undefined) throw new InvariantViolation(problem);
}

/** Throws unless it holds. */
export function expectThat(holds: boolean, problem: () => string): void {
  if (!holds) throw new InvariantViolation(problem());
}
