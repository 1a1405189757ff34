/** Counts what a run did, for its report. */
export class Tally {
  readonly operations = new Map<string, Map<string, number>>();
  readonly answers = new Map<string, number>();
  readonly faults = new Map<string, number>();
  readonly notes = new Map<string, number>();
  readonly recoveriesMs: number[] = [];
  retries = 0;
  rounds = 0;
  /** Histories that are linearizable. */
  keys = 0;
  /** Histories that were too hard to judge. */
  undecidedKeys = 0;
  longestHistory = 0;
  staleReads = 0;
  ledgerKeys = 0;
  terms = 0;
  minutes = 0;

  operation(type: string, outcome: string): void {
    const outcomes = this.operations.get(type) ?? new Map<string, number>();
    this.operations.set(type, outcomes);
    count(outcomes, outcome);
  }

  answer(code: string): void {
    count(this.answers, code);
  }

  fault(name: string): void {
    count(this.faults, name);
  }

  note(what: string): void {
    count(this.notes, what);
  }

  retried(): void {
    this.retries += 1;
  }

  /** Operations with this outcome, or all. */
  total(outcome?: string): number {
    let sum = 0;
    for (const outcomes of this.operations.values())
      for (const [name, number] of outcomes) if (outcome === undefined || name === outcome) sum += number;
    return sum;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
