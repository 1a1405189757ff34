import type { Stepped } from '../streams/step-with.ts';
import { describeState } from './describe.ts';
import type { Operation } from './operation.ts';
import { recover } from './recovery.ts';
import { describeScript, rerun } from './script.ts';
import { shrink } from './shrink.ts';
import { addCounts, noCounts, type SimulationCounts } from './simulation-counts.ts';
import { checkNumbers } from './simulation-numbers.ts';
import { Storm } from './storm.ts';
import { expectThat } from './violation.ts';
import { faultsOf } from './weather-faults.ts';

/** What a simulation of bare cores is told; all else follows from the seed. */
export interface CoreSimulationOptions {
  readonly seed: number;
  /** Founding members; more may join. */
  readonly nodes: number;
  /** Steps of the stormy part; then the weather clears, and the cluster must recover. */
  readonly steps: number;
  /** How long the recovery may take, in simulated milliseconds. Default 20,000. */
  readonly recoveryMs?: number;
  /** Whether a run fails in which a fault of its weather never struck. Default: no, since a single run may be short. */
  readonly mustStrike?: boolean;
  /** Whether a failing run is cut down to a short script. Default: yes. */
  readonly shrinks?: boolean;
  /** Told of every step, before its checks: a `recorder`, say. Not of those that look for a short script. */
  readonly onStep?: (stepped: Stepped) => void;
}

/** What a simulation of bare cores went through. */
export interface CoreSimulationReport {
  readonly counts: SimulationCounts;
  /** Faults that the weather had in store, and that never struck. */
  readonly missed: readonly (keyof SimulationCounts)[];
}

/** A promise did not hold. The message says how to see it again, and gives a script that breaks the same promise. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  readonly seed: number;
  /** The step after which it was found. */
  readonly step: number;
  /**
   * The shortest story that was found to break a promise; empty if there is none. Of bare cores it is a list of commands,
   * and `transcribe` plays it.
   */
  readonly script: readonly string[];

  constructor(message: string, { seed, step, script, cause }: FailureDetails) {
    super(message, { cause });
    this.seed = seed;
    this.step = step;
    this.script = script;
  }
}

/** What a {@link SimulationFailure} knows. */
export interface FailureDetails {
  readonly seed: number;
  readonly step: number;
  readonly script: readonly string[];
  readonly cause: unknown;
}

/** After the storm, everything must be well within this, unless told otherwise. */
const defaultRecoveryMs = 20_000;
/** Operations that may be carried out again to find a short script: about twenty seconds' worth. */
const shrinkingMax = 1_000_000;

/**
 * Simulates a cluster of bare cores in bad weather. One seed gives delays, loss, doubling and reordering of messages,
 * partitions, crashes that lose unflushed writes, failing, hanging and slow disks, wiped ones, skewed and jumping
 * clocks, stopped processes, and clients and operators that ask for everything. After each step every invariant is
 * checked; at the end the weather clears, and the cluster must elect, commit and agree.
 *
 * Throws a {@link SimulationFailure}; the same options fail in the same way again. Throws a `RangeError` for a number that can't be.
 */
export function simulateCore(options: CoreSimulationOptions): CoreSimulationReport {
  checkNumbers({ seed: options.seed, nodes: options.nodes, steps: options.steps });
  const storm = new Storm(options);
  try {
    return run(storm, options);
  } catch (error) {
    throw failureOf(storm, options, error);
  }
}

function run(storm: Storm, options: CoreSimulationOptions): CoreSimulationReport {
  const { counts, stage } = storm;
  const faults = faultsOf(storm.weather);
  while (counts.steps < options.steps) storm.advance();
  recover(storm, options.recoveryMs ?? defaultRecoveryMs);
  stage.oracle.checkAllAnswered();
  stage.checkMachines();
  counts.elections = stage.history.elections;
  counts.entries = stage.history.commitIndex;
  const missed = faults.filter((fault) => counts[fault] === 0);
  expectThat(
    options.mustStrike !== true || missed.length === 0,
    () => `these never struck: ${missed.join(', ')}; more steps than ${options.steps} may help`,
  );
  return { counts, missed };
}

/** Carries the run out once more, records it, and leaves out what does not matter. */
function failureOf(storm: Storm, options: CoreSimulationOptions, cause: unknown): SimulationFailure {
  const { seed, nodes, steps } = options;
  const step = storm.counts.steps;
  const what = cause instanceof Error ? cause.message : String(cause);
  const { script, problem } = options.shrinks === false ? noScript : shortScript(options);
  const lines = [
    `seed ${seed}, ${nodes} nodes, ${steps} steps: at step ${step}, ${storm.now} ms: ${what}`,
    `npm run simulate -- --from ${seed} --seeds 1 --nodes ${nodes} --steps ${steps}`,
    `simulateCore(${textOf(options)})`,
    '',
    ...(script.length > 0 ? [...script, `# ${problem}`] : statesOf(storm)),
  ];
  return new SimulationFailure(lines.join('\n'), { seed, step, script, cause });
}

/** The options that decide what happens, as they are written in a program. */
function textOf({ seed, nodes, steps, recoveryMs, mustStrike }: CoreSimulationOptions): string {
  const all = Object.entries({ seed, nodes, steps, recoveryMs, mustStrike });
  const given = all.filter(([, value]) => value !== undefined);
  return `{ ${given.map(([name, value]) => `${name}: ${value}`).join(', ')} }`;
}

const noScript: { script: readonly string[]; problem: string | undefined } = {
  script: [],
  problem: undefined,
};

function shortScript(options: CoreSimulationOptions): typeof noScript {
  const operations: Operation[] = [];
  const storm = new Storm({ ...options, onStep: undefined, onOperation: (each) => operations.push(each) });
  try {
    run(storm, { ...options, mustStrike: false });
    return noScript;
  } catch {
    const { made } = storm;
    const trial = (items: readonly Operation[]) => {
      const { played, problem, tried } = rerun(made, items);
      return {
        failing: problem === undefined ? undefined : played.map(({ operation }) => operation),
        cost: tried,
      };
    };
    const { failing } = trial(operations);
    if (failing === undefined) return noScript; // It did not recover, which is no one step's fault.
    const last = rerun(made, shrink(failing, trial, shrinkingMax));
    return { script: describeScript(made, last), problem: last.problem };
  }
}

function statesOf(storm: Storm): readonly string[] {
  return storm.hosts.map((host) => `${host.id}: ${describeState(storm.node(host).state)}`);
}

/** A range of seeds to simulate; the other options are those of each. */
export interface CoreSeedsOptions extends Omit<CoreSimulationOptions, 'seed' | 'mustStrike'> {
  /** The first seed. Default 1. */
  readonly from?: number;
  readonly seeds: number;
  /** What must have happened at least so often in all of them together. */
  readonly floors?: Partial<SimulationCounts>;
}

/**
 * Simulates a range of seeds. All faults that any of their weathers had in store must have struck, and the floors must
 * be reached: a storm that exercises nothing proves nothing. Throws the {@link SimulationFailure} of the first seed that
 * fails.
 */
export function simulateCoreSeeds({
  from = 1,
  seeds,
  floors = {},
  ...options
}: CoreSeedsOptions): CoreSimulationReport {
  checkNumbers({ from, seeds });
  const sum = noCounts();
  const expected = new Set<keyof SimulationCounts>();
  for (let seed = from; seed < from + seeds; seed++) {
    const { counts, missed } = simulateCore({ ...options, seed });
    addCounts(sum, counts);
    for (const fault of missed) expected.add(fault);
  }
  const missed = [...expected].filter((fault) => sum[fault] === 0);
  expectThat(missed.length === 0, () => `in ${seeds} seeds these never struck: ${missed.join(', ')}`);
  for (const [name, floor] of Object.entries(floors)) {
    const count = sum[name as keyof SimulationCounts];
    expectThat(
      count >= floor,
      () => `in ${seeds} seeds there were ${count} ${name}, at least ${floor} are due`,
    );
  }
  return { counts: sum, missed };
}
