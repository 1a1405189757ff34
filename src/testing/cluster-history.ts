import { type EntryBatch, type Index, lastOf, type NodeId, type State, type Term } from '../core/index.ts';
import { expectThat } from './violation.ts';

/** A node as the rules about all nodes see it: its state, and its log as written, flushed or not. */
export interface NodeView {
  readonly state: State;
  readonly batches: readonly EntryBatch[];
}

/** A committed entry: what it is, and in which term it was committed. */
interface CommittedBatch {
  readonly batch: EntryBatch;
  readonly committedIn: Term;
}

/**
 * What Figure 3 of the paper promises about all nodes at all times: Election Safety, Log Matching, Leader
 * Completeness, State Machine Safety. It remembers every leader, entry and commit that it was shown.
 */
export class ClusterHistory {
  readonly #leaders = new Map<Term, NodeId>();
  /** By term and first index: a batch, and what stands before it. */
  readonly #batches = new Map<string, { readonly batch: EntryBatch; readonly prevTerm: number }>();
  /** In log order. */
  readonly #committed: CommittedBatch[] = [];
  readonly #seen = new Map<NodeId, NodeView>();
  /** How far each node's committed entries were compared. They can't change unnoticed: see `checkTransition`. */
  readonly #compared = new Map<NodeId, Index>();

  /** The committed log, as far as any node has shown it. */
  get committed(): readonly EntryBatch[] {
    return this.#committed.map(({ batch }) => batch);
  }

  /** How many terms had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** The index of the last committed entry. */
  get commitIndex(): number {
    const last = this.#committed.at(-1);
    return last === undefined ? 0 : lastOf(last.batch);
  }

  /** Looks at a node after a step. Throws an `InvariantViolation` if a promise is broken. */
  observe(view: NodeView): void {
    const before = this.#seen.get(view.state.self.id);
    this.#seen.set(view.state.self.id, view);
    this.#checkElectionSafety(view.state);
    if (before?.batches !== view.batches) this.#checkLogMatching(view, before?.batches ?? []);
    this.#checkCommitted(view);
    const hasBegunToLead = view.state.role.type === 'leader' && before?.state.role.type !== 'leader';
    if (hasBegunToLead) this.#checkLeaderCompleteness(view);
  }

  /** A process died: what it had not flushed may be gone. */
  forget(id: NodeId): void {
    this.#seen.delete(id);
    this.#compared.delete(id);
  }

  /** Election Safety: at most one leader can be elected in a given term (§5.2). */
  #checkElectionSafety({ role, currentTerm, self }: State): void {
    if (role.type !== 'leader') return;
    const leader = this.#leaders.get(currentTerm) ?? self.id;
    expectThat(leader === self.id, () => `${leader} and ${self.id} lead in term ${currentTerm}`);
    this.#leaders.set(currentTerm, self.id);
  }

  /**
   * Log Matching: if two logs contain an entry with the same index and term, then the logs are identical up
   * to there (§5.3). It is enough that such an entry is the same and follows the same term, step by step.
   */
  #checkLogMatching({ state, batches }: NodeView, before: readonly EntryBatch[]): void {
    let at = 0;
    while (at < before.length && before[at] === batches[at]) at++;
    for (; at < batches.length; at++) {
      const batch = batches[at] as EntryBatch;
      const prev = batches[at - 1];
      const key = `${batch.term}:${batch.index}`;
      const known = this.#batches.get(key) ?? { batch, prevTerm: prev?.term ?? 0 };
      const isSame = isSameBatch(known.batch, batch) && known.prevTerm === (prev?.term ?? 0);
      expectThat(
        isSame,
        () => `${state.self.id}: entry ${batch.index} of term ${batch.term} is not the same everywhere`,
      );
      const isTimely = (prev?.logTimeMs ?? 0) <= batch.logTimeMs;
      expectThat(isTimely, () => `${state.self.id}: the log's clock goes back at ${batch.index}`);
      this.#batches.set(key, known);
    }
  }

  /** State Machine Safety: no two nodes commit different entries at one index (§5.4.3). */
  #checkCommitted({ state, batches }: NodeView): void {
    const { commitIndex, currentTerm, self } = state;
    for (let at = firstAbove(batches, this.#compared.get(self.id) ?? 0); at < batches.length; at++) {
      const batch = batches[at] as EntryBatch;
      if (lastOf(batch) > commitIndex) break;
      const known = this.#committed[at] ?? { batch, committedIn: currentTerm };
      const isSame = known.batch.term === batch.term && isSameBatch(known.batch, batch);
      expectThat(isSame, () => `${self.id} commits another entry at ${batch.index} than was committed there`);
      this.#committed[at] = known;
      this.#compared.set(self.id, lastOf(batch));
    }
  }

  /** Leader Completeness: what was committed is in the logs of the leaders of all later terms (§5.4.3). */
  #checkLeaderCompleteness({ state, batches }: NodeView): void {
    this.#committed.forEach(({ batch, committedIn }, at) => {
      if (committedIn > state.currentTerm) return; // This leader was elected long ago, and learns it now.
      const held = batches[at];
      const isHeld = held !== undefined && held.term === batch.term && isSameBatch(held, batch);
      expectThat(
        isHeld,
        () => `${state.self.id} leads term ${state.currentTerm} without the committed ${batch.index}`,
      );
    });
  }
}

/** Checks a set of nodes as they are at one moment. Throws an `InvariantViolation` if a promise is broken. */
export function checkCluster(views: readonly NodeView[]): void {
  const history = new ClusterHistory();
  for (const view of views) history.observe(view);
}

/** Where the first batch stands that ends above an index. */
function firstAbove(batches: readonly EntryBatch[], index: number): number {
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lastOf(batches[middle] as EntryBatch) <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isSameBatch(a: EntryBatch, b: EntryBatch): boolean {
  if (a === b) return true;
  const isSameHeader =
    a.index === b.index && a.count === b.count && a.kind === b.kind && a.logTimeMs === b.logTimeMs;
  return isSameHeader && a.payloadChecksum === b.payloadChecksum;
}
