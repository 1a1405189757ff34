/** What a state machine sees of the world if it looks where it must not. */
export interface NodeWorld {
  /** The wall clock of its node, which is another on each. */
  readonly nowMs: () => number;
  /** From 0 to 1, without 1. */
  readonly random: () => number;
}

const RealDate = globalThis.Date;

/**
 * Makes a function that calls others with the clock and the random numbers of one node in place of the
 * process's, for as long as the call itself takes.
 *
 * So a machine that reads a clock gives each node another answer, however fast the simulation runs, and gives
 * the same ones when the run is repeated.
 */
export function worldOf({ nowMs, random }: NodeWorld): <T>(call: () => T) => T {
  const NodeDate = dateOf(nowMs);
  return (call) => {
    const before = { date: globalThis.Date, random: Math.random, now: performance.now };
    globalThis.Date = NodeDate;
    Math.random = random;
    performance.now = nowMs;
    try {
      return call();
    } finally {
      globalThis.Date = before.date;
      Math.random = before.random;
      performance.now = before.now;
    }
  };
}

function dateOf(nowMs: () => number): DateConstructor {
  const floor = () => Math.floor(nowMs());
  return new Proxy<DateConstructor>(RealDate, {
    construct: (_, args) => Reflect.construct(RealDate, args.length === 0 ? [floor()] : args) as Date,
    apply: () => new RealDate(floor()).toString(),
    get: (date, name) => (name === 'now' ? floor : Reflect.get(date, name)),
  });
}
