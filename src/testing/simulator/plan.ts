import { Dice, shuffled } from '../dice.ts';
import type { FaultKind } from './fault-kinds.ts';

/** Something that is to happen, with randomness of its own: without it, the others stay as they are. */
export interface PlanItem {
  readonly atMs: number;
  readonly kind: FaultKind | 'client';
  readonly seed: number;
  /** Of a client's request: which one it is, counted from 1. */
  readonly number: number;
}

/** What happens in a run, and when. */
export interface Plan {
  /** How far the run has come. */
  advance(now: { readonly atMs: number; readonly steps: number }): void;
  /** When something is due next; `undefined`: not known to be. */
  readonly nextAtMs: number | undefined;
  /** Takes out what is due next. */
  take(): PlanItem | undefined;
  /** It could not be done now: later, perhaps. */
  putBack(kind: FaultKind): void;
}

/** What a {@link DrawnPlan} is drawn from. */
export interface PlanOptions {
  readonly seed: number;
  readonly steps: number;
  readonly clientMs: number;
  /** Kinds, each as often as it is to come in a round. */
  readonly kinds: readonly FaultKind[];
}

/** Fewer steps between two faults, and the cluster would never get anywhere. */
const gapStepsMin = 40;
const gapStepsMax = 140;

/**
 * A plan that is drawn while the run goes on: clients in time, faults by the steps that were taken, in rounds in which
 * each kind has its turn.
 */
export class DrawnPlan implements Plan {
  readonly #dice: Dice;
  readonly #options: PlanOptions;
  readonly #gapSteps: number;
  #round: FaultKind[] = [];
  #nextFaultAtStep: number;
  #asked = 0;
  #fault: PlanItem | undefined;
  #client: PlanItem;

  constructor(options: PlanOptions) {
    this.#dice = new Dice(options.seed * 7 + 1);
    this.#options = options;
    const roundSteps = (options.steps * 0.85) / 2;
    this.#gapSteps = Math.round(
      Math.min(gapStepsMax, Math.max(gapStepsMin, roundSteps / Math.max(1, options.kinds.length))),
    );
    this.#nextFaultAtStep = this.#gapSteps;
    this.#client = this.#nextClient(0);
  }

  advance({ atMs, steps }: { readonly atMs: number; readonly steps: number }): void {
    if (this.#client.atMs < atMs) this.#client = { ...this.#client, atMs: Math.floor(atMs) + 0.5 };
    if (this.#fault !== undefined || steps < this.#nextFaultAtStep) return;
    const kind = this.#nextKind();
    if (kind === undefined) return;
    this.#nextFaultAtStep = steps + Math.ceil((this.#gapSteps * this.#dice.between(50, 150)) / 100);
    this.#fault = { atMs: Math.floor(atMs) + 0.5, kind, seed: this.#seed(), number: 0 };
  }

  get nextAtMs(): number {
    return Math.min(this.#client.atMs, this.#fault?.atMs ?? Number.POSITIVE_INFINITY);
  }

  take(): PlanItem | undefined {
    const fault = this.#fault;
    if (fault !== undefined && fault.atMs <= this.#client.atMs) {
      this.#fault = undefined;
      return fault;
    }
    const client = this.#client;
    this.#client = this.#nextClient(client.atMs);
    return client;
  }

  putBack(kind: FaultKind): void {
    this.#round.splice(Math.max(0, this.#round.length - 2), 0, kind);
  }

  #nextClient(atMs: number): PlanItem {
    const waitMs = this.#dice.between(1, 2 * this.#options.clientMs);
    this.#asked += 1;
    return { atMs: Math.floor(atMs) + waitMs + 0.5, kind: 'client', seed: this.#seed(), number: this.#asked };
  }

  #nextKind(): FaultKind | undefined {
    if (this.#round.length === 0) this.#round = shuffled(this.#options.kinds, this.#dice);
    return this.#round.pop();
  }

  #seed(): number {
    return this.#dice.below(0x7fffffff);
  }
}

/** A plan that is given, such as one from which something was left out. */
export class GivenPlan implements Plan {
  readonly #items: readonly PlanItem[];
  #next = 0;

  constructor(items: readonly PlanItem[]) {
    this.#items = items;
  }

  advance(): void {}

  get nextAtMs(): number | undefined {
    return this.#items[this.#next]?.atMs;
  }

  take(): PlanItem | undefined {
    return this.#items[this.#next++];
  }

  putBack(): void {}
}
