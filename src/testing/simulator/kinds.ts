import { type FaultKind, faultKinds } from './fault-kinds.ts';

/** The faults that a simulation is told of: kinds, or how often each comes beside the others. */
export type FaultRates = readonly FaultKind[] | Partial<Record<FaultKind, number>>;

/** What is simulated, as far as it decides what can go wrong. */
export interface Subject {
  readonly nodes: number;
  /** Whether the machine can be snapshotted. */
  readonly hasSnapshots: boolean;
}

/**
 * Kinds, each as often as it comes in a round. Default: every one that can befall the subject. Throws a `RangeError` if
 * what is asked for can't be: left out in silence, it would seem to hold.
 */
export function kindsOf(faults: FaultRates | undefined, subject: Subject): readonly FaultKind[] {
  if (faults === undefined) return faultKinds.filter((kind) => problemOf(kind, subject) === undefined);
  const rates = Array.isArray(faults)
    ? (faults as readonly FaultKind[]).map((kind) => [kind, 1] as const)
    : (Object.entries(faults) as [FaultKind, number][]);
  return rates.flatMap(([kind, rate]) => {
    const problem = rateProblemOf(kind, rate) ?? (rate > 0 ? problemOf(kind, subject) : undefined);
    if (problem !== undefined) throw new RangeError(problem);
    return Array<FaultKind>(rate).fill(kind);
  });
}

function rateProblemOf(kind: FaultKind, rate: number): string | undefined {
  if (!faultKinds.includes(kind)) return `${kind} is no kind of fault: ${faultKinds.join(', ')}`;
  const isRate = Number.isSafeInteger(rate) && rate >= 0;
  return isRate ? undefined : `the rate of ${kind} is ${rate}, expected an integer from 0`;
}

function problemOf(kind: FaultKind, { nodes, hasSnapshots }: Subject): string | undefined {
  const least = nodesMin[kind] ?? 1;
  if (nodes < least) return `${kind} takes at least ${least} nodes, and there are ${nodes}`;
  return kind === 'snapshot' && !hasSnapshots ? 'snapshot takes a machine that has snapshot()' : undefined;
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
