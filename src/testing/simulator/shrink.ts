import type { PlanItem } from './plan.ts';
import { type Outcome, Run, type RunSettings, type Script, type Told } from './run.ts';

/** What is left of a run that fails, when all that can be left out is. */
export interface Shrunk {
  /** In order, in words. */
  readonly told: readonly Told[];
  readonly failure: unknown;
  /** How many runs it took to find. */
  readonly runs: number;
}

/** So many runs are tried, and of steps so many times as many as the failing run had, or at least so many. */
const runsMax = 150;
const timesStepsMax = 50;
const stepsMaxLeast = 50_000;

/** A failure must come back so soon after it first came, in virtual milliseconds. */
const graceMs = 3000;

/**
 * Leaves out of a run what it fails without: kinds of faults, then halves of what is left, quarters, and so on (ddmin), as
 * long as the budget lasts.
 * `undefined` if the run's own plan does not fail again.
 */
export async function shrunk<C, R, Q, A>(
  settings: RunSettings<C, R, Q, A>,
  outcome: Outcome,
): Promise<Shrunk | undefined> {
  const stormMs = outcome.isStormy ? outcome.virtualMs + graceMs : outcome.stormMs;
  const search = new Search(settings, {
    stormMs,
    endsThere: outcome.isStormy,
    stepsMax: Math.max(stepsMaxLeast, timesStepsMax * outcome.counts.steps),
  });
  const first = await search.fails(outcome.told);
  if (first === undefined) return undefined;
  return search.minimize(first);
}

class Search<C, R, Q, A> {
  readonly #settings: RunSettings<C, R, Q, A>;
  readonly #limits: Omit<Script, 'items'> & { readonly stepsMax: number };
  #runs = 0;
  #steps = 0;

  constructor(
    settings: RunSettings<C, R, Q, A>,
    limits: Omit<Script, 'items'> & { readonly stepsMax: number },
  ) {
    this.#settings = settings;
    this.#limits = limits;
  }

  /** What is done in a run of these, if it fails. */
  async fails(told: readonly Told[]): Promise<Outcome | undefined> {
    const { endsThere } = this.#limits;
    const items = told.map(({ item }) => item);
    this.#runs += 1;
    const outcome = await new Run(this.#settings, { items, stormMs: this.#stormMs(items), endsThere }).go();
    this.#steps += outcome.counts.steps;
    return outcome.failure === undefined ? undefined : outcome;
  }

  /** A run that fails in the end need not wait for the end of a storm that is over. */
  #stormMs(items: readonly PlanItem[]): number {
    const { stormMs, endsThere } = this.#limits;
    const lastMs = items.at(-1)?.atMs ?? 0;
    return endsThere || this.#runs === 1 ? stormMs : Math.min(stormMs, lastMs + graceMs);
  }

  get #hasBudget(): boolean {
    return this.#runs < runsMax && this.#steps < this.#limits.stepsMax;
  }

  async minimize(first: Outcome): Promise<Shrunk> {
    let best = await this.#withoutKinds(first);
    for (let parts = 1; parts <= best.told.length && this.#hasBudget; ) {
      const smaller = await this.#without(best.told, parts);
      if (smaller === undefined)
        parts = parts === best.told.length ? parts + 1 : Math.min(best.told.length, 2 * parts);
      else {
        best = smaller;
        parts = Math.max(1, Math.min(parts - 1, best.told.length));
      }
    }
    return { told: best.told, failure: best.failure, runs: this.#runs };
  }

  /** Leaves out all of a kind, kind by kind. */
  async #withoutKinds(first: Outcome): Promise<Outcome> {
    let best = first;
    for (const kind of new Set(first.told.map(({ item }) => item.kind))) {
      if (!this.#hasBudget) break;
      best = (await this.fails(best.told.filter(({ item }) => item.kind !== kind))) ?? best;
    }
    return best;
  }

  /** Leaves out one of so many parts, whichever can be spared first. */
  async #without(told: readonly Told[], parts: number): Promise<Outcome | undefined> {
    for (let part = 0; part < parts && this.#hasBudget; part++) {
      const from = Math.floor((part * told.length) / parts);
      const to = Math.floor(((part + 1) * told.length) / parts);
      const outcome = await this.fails([...told.slice(0, from), ...told.slice(to)]);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }
}
