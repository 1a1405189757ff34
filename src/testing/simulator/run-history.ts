import {
  type ConfigurationAt,
  type EntryBatch,
  type Index,
  index,
  lastOf,
  type NodeId,
  type State,
  type StoreId,
  type Term,
  termAt,
} from '../../core/index.ts';
import { isSameConfiguration } from '../configuration-history.ts';
import { expectThat } from '../violation.ts';

/** A committed entry: in which term it was written, and in which committed. */
interface Committed {
  readonly term: Term;
  readonly committedIn: Term;
}

/**
 * What Figure 3 of the paper promises about all nodes at all times, held against the cores' states and against what
 * they hand to their disks: Election Safety, Log Matching, Leader Completeness, State Machine Safety.
 */
export class RunHistory {
  readonly #leaders = new Map<Term, StoreId>();
  /** By term and first index: a batch as first written anywhere, and the term before it. */
  readonly #batches = new Map<string, { readonly batch: EntryBatch; readonly prevTerm: Term }>();
  /** By index; nothing stands at 0. */
  readonly #committed: (Committed | undefined)[] = [undefined];
  /** Committed configurations, in log order. */
  readonly #configurations: ConfigurationAt[] = [];
  #lastTerm = 0;
  /** How far a node's committed entries were compared, in this life of its process. */
  readonly #compared = new Map<NodeId, number>();

  /** Through here some node has known entries to be committed. */
  get commitIndex(): number {
    return this.#committed.length - 1;
  }

  /** Committed configurations, in log order; of those that were committed at once the last. */
  get configurations(): readonly ConfigurationAt[] {
    return this.#configurations;
  }

  /** How many terms had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** The latest term that had a leader. */
  get lastTerm(): number {
    return this.#lastTerm;
  }

  /** A process began: what it knows to be committed is looked at from the start of its log. */
  forget(id: NodeId): void {
    this.#compared.delete(id);
  }

  /** Looks at a node after a step. Throws an `InvariantViolation` if a promise is broken. */
  observe(before: State | null, state: State): void {
    const { role } = state;
    if (role.type === 'leader' && before?.role.type !== 'leader') {
      this.#checkElectionSafety(state);
      this.#checkLeaderCompleteness(state);
    }
    this.#checkCommitted(state);
    this.#checkConfiguration(state);
  }

  /** Election Safety: at most one leader can be elected in a given term (§5.2). */
  #checkElectionSafety({ currentTerm, self }: State): void {
    const leader = this.#leaders.get(currentTerm) ?? self.storeId;
    expectThat(leader === self.storeId, () => `${leader} and ${self.storeId} lead in term ${currentTerm}`);
    this.#leaders.set(currentTerm, self.storeId);
    this.#lastTerm = Math.max(this.#lastTerm, currentTerm);
  }

  /** Leader Completeness: what was committed is in the logs of the leaders of all later terms (§5.4.3). */
  #checkLeaderCompleteness({ self, currentTerm, log }: State): void {
    for (let at = log.startIndex + 1; at < this.#committed.length; at++) {
      const committed = this.#committed[at];
      if (committed === undefined || committed.committedIn > currentTerm) continue;
      const held = termAt(log, index(at));
      expectThat(
        held === committed.term,
        () =>
          `${self.id} leads term ${currentTerm} without the committed entry ${at} of term ${committed.term}`,
      );
    }
  }

  /** State Machine Safety: no two nodes commit different entries at one index (§5.4.3). */
  #checkCommitted({ self, currentTerm, commitIndex, log }: State): void {
    const compared = Math.max(this.#compared.get(self.id) ?? 0, log.startIndex);
    for (let at = compared + 1; at <= commitIndex; at++) {
      const term = termAt(log, index(at));
      const known = this.#committed[at];
      expectThat(
        term !== undefined && (known === undefined || known.term === term),
        () =>
          `${self.id} commits an entry of term ${term} at ${at}, where one of term ${known?.term} is committed`,
      );
      this.#committed[at] ??= { term: term as Term, committedIn: currentTerm };
    }
    if (commitIndex > compared) this.#compared.set(self.id, commitIndex);
  }

  /** All nodes go through the same committed configurations, and none is left out (rule 8). */
  #checkConfiguration({ self, commitIndex, configurations }: State): void {
    const latest = configurations.findLast((at) => at.index <= commitIndex);
    if (latest === undefined) return;
    const known = this.#configurations.findLast((at) => at.index <= commitIndex);
    if (known !== undefined && known.index >= latest.index) {
      expectThat(
        isSameConfiguration(known, latest),
        () =>
          `${self.id} has the configuration of ${latest.index}, where that of ${known.index} is committed`,
      );
      return;
    }
    const isNext = this.#configurations.every((at) => at.index < latest.index);
    expectThat(isNext, () => `${self.id} has a configuration of ${latest.index} that nobody committed`);
    this.#configurations.push(latest);
  }

  /**
   * Log Matching: if two logs contain an entry with the same index and term, then the logs are identical up to
   * there (§5.3). It is enough that such an entry is the same and follows the same term, step by step.
   */
  onWrite(id: NodeId, batch: EntryBatch, prevTerm: Term): void {
    const key = keyOf(batch.term, batch.index);
    const known = this.#batches.get(key);
    if (known === undefined) {
      this.#batches.set(key, { batch, prevTerm });
      return;
    }
    expectThat(
      isSameBatch(known.batch, batch) && known.prevTerm === prevTerm,
      () => `${id}: entry ${batch.index} of term ${batch.term} is not the same everywhere`,
    );
  }

  /** The committed log, in order. Throws an `InvariantViolation` if no disk was ever given one of its entries. */
  committedBatches(): readonly EntryBatch[] {
    const batches: EntryBatch[] = [];
    for (let at = 1; at <= this.commitIndex; ) {
      const term = this.#committed[at]?.term;
      const found = term === undefined ? undefined : this.#batches.get(keyOf(term, index(at)));
      expectThat(
        found !== undefined,
        () => `the committed entry ${at} of term ${term} was never written to a disk`,
      );
      const { batch } = found as { readonly batch: EntryBatch };
      batches.push(batch);
      at = lastOf(batch) + 1;
    }
    return batches;
  }
}

function keyOf(term: Term, first: Index): string {
  return `${term}:${first}`;
}

function isSameBatch(a: EntryBatch, b: EntryBatch): boolean {
  if (a === b) return true;
  const isSameHeader = a.count === b.count && a.kind === b.kind && a.logTimeMs === b.logTimeMs;
  return isSameHeader && a.payloadChecksum === b.payloadChecksum;
}
