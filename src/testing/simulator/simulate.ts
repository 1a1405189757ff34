import type { NodeId } from '../../core/index.ts';
import { defaultSessionLimits, withSessions } from '../../streams/sessions.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import { Dice } from '../dice.ts';
import { checkNumbers } from '../simulation-numbers.ts';
import { NotExercised } from '../violation.ts';
import type { ChangeCounts } from './change-counts.ts';
import type { FaultCounts, RunCounts } from './counts.ts';
import { kindsOf } from './kinds.ts';
import { ledgerMachine, ledgerWorkload } from './ledger-machine.ts';
import type { SimulateOptions } from './options.ts';
import { type Outcome, Run, type RunSettings } from './run.ts';
import { shrunk } from './shrink.ts';
import { simulationFailure } from './tell-failure.ts';
import { tellingMachine } from './telling-machine.ts';

/** What happened in a simulation that held. */
export interface SimulationReport extends RunCounts {
  readonly seed: number;
  readonly nodes: number;
  /** How often each kind of fault had an effect: at least once, or the run would have failed. */
  readonly faults: FaultCounts;
  /** How often each kind of change of the members was asked for, and committed by its answer. */
  readonly changes: ChangeCounts;
  /** The time that passed for the cluster, in milliseconds. */
  readonly virtualMs: number;
  /** A hash of every step: the same for the same options, whenever and wherever they are run. */
  readonly digest: string;
}

/**
 * Runs a cluster of the shipped runtime, with a state machine, in bad weather and in virtual time; then the weather
 * clears, and the cluster must recover. One seed decides everything.
 *
 * Meanwhile nodes join, leave and are replaced, learners become voters and voters learners, and members move to other
 * addresses, where they are started a while later; also two of them in one change. The report has how often each of
 * these was asked for and committed, as `changes`.
 *
 * After each step of each node it checks what Raft promises (Figure 3), that commit and applied index only advance,
 * that each entry is applied once and with the same result everywhere, and that nothing leaves a node before its disk
 * bears it out. In the end it holds every answer to a client against the log (linearizability), and compares the data
 * of the nodes with one another and with those of a fresh machine that is given the log, one command at a time.
 *
 * Rejects with a `SimulationFailure`, whose message tells how to run it again and the shortest story that it found
 * to fail; also if a kind of fault had no effect in the whole run.
 *
 * ```ts
 * await simulate({ seed: 1, machine: () => accounts(), workload: (dice) => drawPayment(dice) });
 * ```
 */
export async function simulate<Command, Result, Query, Answer>(
  options: SimulateOptions<Command, Result, Query, Answer>,
): Promise<SimulationReport> {
  const settings = settingsOf(options);
  const outcome = await new Run(settings).go();
  const failure = outcome.failure ?? notExercised(settings, outcome);
  if (failure === undefined) return reportOf(settings, outcome);
  const script =
    outcome.failure !== undefined && options.shrink !== false ? await shrunk(settings, outcome) : undefined;
  throw simulationFailure({ settings, options, failure, outcome, script });
}

function reportOf<C, R, Q, A>(
  { seed, nodes }: RunSettings<C, R, Q, A>,
  { counts, faults, changes, virtualMs, digest }: Outcome,
): SimulationReport {
  return { seed, nodes, ...counts, faults, changes, virtualMs, digest };
}

/** What a run was to exercise and did not. */
function notExercised<C, R, Q, A>(
  { kinds, steps }: RunSettings<C, R, Q, A>,
  { faults }: Outcome,
): NotExercised | undefined {
  const missing = [...new Set(kinds)].filter((kind) => (faults[kind] ?? 0) === 0);
  if (missing.length === 0) return undefined;
  return new NotExercised(
    `the run took ${steps} steps and did not exercise ${missing.join(', ')}: raise steps, or name fewer faults`,
  );
}

/** Fills in the defaults. Throws a `RangeError` or `TypeError` that says what is wrong. */
function settingsOf<C, R, Q, A>(options: SimulateOptions<C, R, Q, A>): RunSettings<C, R, Q, A> {
  const { seed, nodes = 3, steps = 5000, workload, checks = [], node, onStep } = options;
  checkNumbers({ seed, nodes, steps });
  if ((options.machine === undefined) !== (workload === undefined))
    throw new TypeError('machine and workload belong together: give both, or neither');
  const dice = new Dice(seed * 13 + 5);
  const hasSessions = options.sessions ?? (options.machine === undefined && dice.chance(40));
  const plain = options.machine ?? builtIn<C, R, Q, A>(dice);
  return {
    seed,
    nodes,
    steps,
    machine: hasSessions ? withClientSessions(plain) : plain,
    workload: workload ?? (ledgerWorkload as unknown as NonNullable<typeof workload>),
    hasSessions,
    kinds: kindsOf(options.faults, { nodes, hasSnapshots: hasSnapshots(plain) }),
    checks,
    node,
    onStep,
  };
}

type Factory<C, R, Q, A> = (id: NodeId) => StateMachine<C, R, Q, A>;

/** The types are those of the caller, who gave no machine and so has none to tell them from. */
function builtIn<C, R, Q, A>(dice: Dice): Factory<C, R, Q, A> {
  const keeps = dice.pick(['memory', 'store'] as const);
  return () => ledgerMachine(keeps) as unknown as StateMachine<C, R, Q, A>;
}

function withClientSessions<C, R, Q, A>(machine: Factory<C, R, Q, A>): RunSettings<C, R, Q, A>['machine'] {
  return (id, onExecute) => {
    const inner = onExecute === undefined ? machine(id) : tellingMachine(machine(id), onExecute);
    return withSessions(inner, defaultSessionLimits) as unknown as StateMachine<C, R, Q, A>;
  };
}

/** Whether the machine can be snapshotted: the one that is looked at is not used. */
function hasSnapshots<C, R, Q, A>(machine: Factory<C, R, Q, A>): boolean {
  const { keeps, snapshot } = machine('replay');
  return keeps === 'store' || snapshot !== undefined;
}
