import type { NodeId } from '../../core/index.ts';
import { defaultSessionLimits, withSessions } from '../../streams/sessions.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import { Dice } from '../dice.ts';
import type { FaultCounts, RunCounts } from './counts.ts';
import { type FaultKind, faultKinds } from './fault-kinds.ts';
import { ledgerMachine, ledgerWorkload } from './ledger-machine.ts';
import type { SimulateOptions } from './options.ts';
import { checkExercised } from './recovery.ts';
import { type Outcome, Run, type RunSettings } from './run.ts';
import { shrunk } from './shrink.ts';
import { simulationFailure } from './tell-failure.ts';

/** What happened in a simulation that held. */
export interface SimulationReport extends RunCounts {
  readonly seed: number;
  readonly nodes: number;
  /** How often each kind of fault had an effect: at least once, or the run would have failed. */
  readonly faults: FaultCounts;
  /** The time that passed for the cluster, in milliseconds. */
  readonly virtualMs: number;
  /** A hash of every step: the same for the same options, whenever and wherever they are run. */
  readonly digest: string;
}

/**
 * Runs a cluster of the shipped runtime, with a state machine, in bad weather and in virtual time; then the weather
 * clears, and the cluster must recover. One seed decides everything.
 *
 * After each step of each node it checks what Raft promises (Figure 3), that commit and applied index only advance,
 * that each entry is applied once and with the same result everywhere, and that nothing leaves a node before its disk
 * bears it out. In the end it holds every answer to a client against the log (linearizability), and compares the data
 * of the nodes.
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
  { counts, faults, virtualMs, digest }: Outcome,
): SimulationReport {
  return { seed, nodes, ...counts, faults, virtualMs, digest };
}

function notExercised<C, R, Q, A>({ kinds, steps }: RunSettings<C, R, Q, A>, { faults }: Outcome): unknown {
  try {
    checkExercised({ kinds, faults, steps });
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Fills in the defaults. Throws a `RangeError` or `TypeError` that says what is wrong. */
function settingsOf<C, R, Q, A>(options: SimulateOptions<C, R, Q, A>): RunSettings<C, R, Q, A> {
  const { seed, nodes = 3, steps = 5000, workload, checks = [], node, onStep } = options;
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is ${seed}, expected an integer`);
  if (!(Number.isInteger(nodes) && nodes >= 1 && nodes <= 9))
    throw new RangeError(`nodes is ${nodes}, expected 1 to 9`);
  if (!(Number.isInteger(steps) && steps >= 1))
    throw new RangeError(`steps is ${steps}, expected at least 1`);
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
    kinds: kindsOf(options),
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

function withClientSessions<C, R, Q, A>(machine: Factory<C, R, Q, A>): Factory<C, R, Q, A> {
  return (id) => withSessions(machine(id), defaultSessionLimits) as unknown as StateMachine<C, R, Q, A>;
}

function kindsOf<C, R, Q, A>({
  faults = faultKinds,
  nodes = 3,
}: SimulateOptions<C, R, Q, A>): readonly FaultKind[] {
  const rates = Array.isArray(faults)
    ? (faults as readonly FaultKind[]).map((kind) => [kind, 1] as const)
    : (Object.entries(faults) as [FaultKind, number][]);
  const unknown = rates.find(([kind]) => !faultKinds.includes(kind));
  if (unknown !== undefined)
    throw new RangeError(`${unknown[0]} is no kind of fault: ${faultKinds.join(', ')}`);
  const isPossible = (kind: FaultKind) => nodes >= (nodesMin[kind] ?? 1);
  return rates.flatMap(([kind, rate]) =>
    isPossible(kind) ? Array<FaultKind>(Math.round(rate)).fill(kind) : [],
  );
}

/** What takes more than one node. */
const nodesMin: Partial<Record<FaultKind, number>> = {
  delay: 2,
  loss: 2,
  duplication: 2,
  reordering: 2,
  partition: 2,
  oneWay: 2,
  transfer: 2,
  bridge: 3,
  wipe: 3,
};
