import type { NodeId } from '../../core/index.ts';
import type { NetworkFaults } from '../../transport/memory-network.ts';
import { type Dice, shuffled } from '../dice.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { AnyRun, Fault } from './faults.ts';
import type { NetworkPeriod } from './network-periods.ts';

type NetworkKind = Extract<
  FaultKind,
  'delay' | 'loss' | 'duplication' | 'reordering' | 'partition' | 'oneWay' | 'bridge'
>;

/** What goes wrong on the way: for a while each, counted if it met a frame. */
export const networkFaults: Record<NetworkKind, Fault> = {
  delay(run, dice) {
    const delayMsMax = dice.pick([30, 80, 250]);
    const counted = () => run.cluster.framesSent;
    const durationMs = badNetwork(run, dice, { kind: 'delay', faults: { delayMsMax }, counted });
    return `messages take up to ${delayMsMax} ms for ${durationMs} ms`;
  },

  loss(run, dice) {
    const percent = dice.pick([2, 10, 30]);
    const faults = { lossProbability: percent / 100 };
    const counted = () => run.cluster.network.counts.lost;
    const durationMs = badNetwork(run, dice, { kind: 'loss', faults, counted });
    return `${percent} % of messages are lost for ${durationMs} ms`;
  },

  duplication(run, dice) {
    const percent = dice.pick([5, 20, 50]);
    const faults = { duplicateProbability: percent / 100 };
    const counted = () => run.cluster.network.counts.doubled;
    const durationMs = badNetwork(run, dice, { kind: 'duplication', faults, counted });
    return `${percent} % of messages come twice for ${durationMs} ms`;
  },

  reordering(run, dice) {
    const percent = dice.pick([5, 20, 50]);
    const faults = { reorderProbability: percent / 100 };
    const counted = () => run.cluster.network.counts.overtaken;
    const durationMs = badNetwork(run, dice, { kind: 'reordering', faults, counted });
    return `${percent} % of messages are overtaken for ${durationMs} ms`;
  },

  partition(run, dice) {
    const ids = shuffledIds(run, dice);
    if (ids.length < 2) return null;
    const at = dice.between(1, ids.length - 1);
    const [some, others] = [ids.slice(0, at), ids.slice(at)];
    const durationMs = apart(run, dice, { kind: 'partition', pairs: bothWays(some, others) });
    return `${some.join(', ')} and ${others.join(', ')} can't reach each other for ${durationMs} ms`;
  },

  oneWay(run, dice) {
    const [one, other] = shuffledIds(run, dice);
    if (one === undefined || other === undefined) return null;
    const leaderId = run.cluster.leader?.id ?? one; // Followers have little to say to each other.
    const [from, to] =
      leaderId === one || leaderId === other || dice.chance(30) ? [one, other] : [leaderId, other];
    const durationMs = apart(run, dice, { kind: 'oneWay', pairs: [[from, to]] });
    return `what ${from} sends to ${to} does not arrive for ${durationMs} ms`;
  },

  bridge(run, dice) {
    const [bridge, ...ids] = shuffledIds(run, dice);
    if (ids.length < 2) return null;
    const at = dice.between(1, ids.length - 1);
    const [some, others] = [ids.slice(0, at), ids.slice(at)];
    const durationMs = apart(run, dice, { kind: 'bridge', pairs: bothWays(some, others) });
    return `only ${bridge} reaches both ${some.join(', ')} and ${others.join(', ')} for ${durationMs} ms`;
  },
};

interface Period {
  readonly kind: NetworkKind;
  readonly faults: Partial<NetworkFaults>;
  /** How many frames the fault met so far. */
  readonly counted: () => number;
}

function badNetwork(run: AnyRun, dice: Dice, { kind, faults, counted }: Period): number {
  return period(run, { kind, faults, counted, durationMs: dice.between(200, 2000) });
}

function apart(
  run: AnyRun,
  dice: Dice,
  { kind, pairs }: { readonly kind: NetworkKind; readonly pairs: readonly (readonly [NodeId, NodeId])[] },
): number {
  const counted = () => run.cluster.network.counts.cut;
  return period(run, { kind, cuts: pairs, counted, durationMs: dice.between(100, 2500) });
}

function period(
  run: AnyRun,
  {
    kind,
    counted,
    durationMs,
    ...wrong
  }: NetworkPeriod & Pick<Period, 'kind' | 'counted'> & { durationMs: number },
): number {
  const before = counted();
  run.network.begin(wrong);
  const end = () => run.network.end(wrong);
  run.lastKind(kind, { durationMs, hadEffect: () => counted() > before, end });
  return durationMs;
}

function bothWays(
  some: readonly NodeId[],
  others: readonly NodeId[],
): readonly (readonly [NodeId, NodeId])[] {
  return some.flatMap((one) => others.flatMap((other) => [[one, other] as const, [other, one] as const]));
}

function shuffledIds(run: AnyRun, dice: Dice): NodeId[] {
  const ids = run.cluster.processes.map(({ id }) => id);
  return shuffled(ids, dice);
}
