import { checkState, checkTransition, type Peer, type State } from '../../core/index.ts';
import type { DiskImage } from '../../storage/memory-disk.ts';
import { expectNone } from '../violation.ts';
import type { RunCounts } from './counts.ts';
import { Digest } from './digest.ts';
import { imageHonesty } from './image-honesty.ts';
import type { RunHistory } from './run-history.ts';

/** One step of one node. */
export interface SimStep {
  /** `null` at its start. */
  readonly before: State | null;
  readonly state: State;
  readonly nowMs: number;
}

/** Checks every step of every node, and counts what happens. Throws an `InvariantViolation`. */
export class StepChecks {
  readonly digest = new Digest();
  readonly #counts: RunCounts;
  readonly #history: RunHistory;
  readonly #imageOf: (peer: Peer) => DiskImage | undefined;

  constructor(parts: {
    readonly counts: RunCounts;
    readonly history: RunHistory;
    readonly imageOf: (peer: Peer) => DiskImage | undefined;
  }) {
    this.#counts = parts.counts;
    this.#history = parts.history;
    this.#imageOf = parts.imageOf;
  }

  check({ before, state, nowMs }: SimStep): void {
    this.#counts.steps += 1;
    this.digest.add(nowMs, state);
    expectNone(checkState(state));
    if (before !== null) {
      expectNone(checkTransition(before, state));
      this.#count(before, state);
    }
    this.#history.observe(before, state);
    this.#counts.elections = this.#history.elections;
    const commitsByCounting =
      state.role.type === 'leader' &&
      before?.role.type === 'leader' &&
      state.commitIndex > before.commitIndex;
    if (commitsByCounting) imageHonesty.checkMajority(state, this.#imageOf);
  }

  #count(before: State, state: State): void {
    const { log } = state;
    if (log === before.log) return;
    const isInstalled = before.installing !== null && before.installing.snapshot.index === log.startIndex;
    if (log.startIndex > before.log.startIndex) {
      if (isInstalled) this.#counts.snapshotsInstalled += 1;
      else this.#counts.compactions += 1;
    } else if (isTruncated(before, state)) this.#counts.truncations += 1;
  }
}

function isTruncated({ log: before }: State, { log }: State): boolean {
  return log.lastIndex < before.lastIndex || log.terms.length < before.terms.length || hasOther(before, log);
}

/** The last term of the log was replaced by another. */
function hasOther(before: State['log'], log: State['log']): boolean {
  const last = before.terms.at(-1);
  return last !== undefined && log.terms[before.terms.length - 1]?.term !== last.term;
}
