import {
  type Configuration,
  type EntryBatch,
  type Index,
  lastOf,
  type NodeId,
  plus,
  type State,
  type StoreId,
  type Term,
  term0,
} from '../core/index.ts';
import { ConfigurationHistory } from './configuration-history.ts';
import type { Applied } from './disk.ts';
import { commandsOf } from './entries.ts';
import { expectThat } from './violation.ts';

/** A node as the rules about all nodes see it: its state, and its log as written, flushed or not. */
export interface NodeView {
  readonly state: State;
  readonly batches: readonly EntryBatch[];
  /** The term of the entry before the first one; 0 where the log was never compacted. */
  readonly startTerm?: Term | undefined;
}

/** What a {@link ClusterHistory} may be told. */
export interface ClusterHistoryOptions {
  /** The configuration at index 0; without it, the first one committed is believed. */
  readonly founding?: Configuration | undefined;
  readonly onCommit?: (index: Index, command: string) => void;
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
  readonly #leaders = new Map<Term, StoreId>();
  /** By term and first index: a batch, and what stands before it. */
  readonly #batches = new Map<number, { readonly batch: EntryBatch; readonly prevTerm: number }>();
  /** In log order. */
  readonly #committed: CommittedBatch[] = [];
  /** By the index of its first entry: where a batch stands in `#committed`. */
  readonly #places = new Map<Index, number>();
  readonly #commands = new Map<Index, string>();
  readonly #seen = new Map<NodeId, NodeView>();
  /** How far each node's committed entries were compared. They can't change unnoticed: see `checkTransition`. */
  readonly #compared = new Map<NodeId, Index>();
  readonly #configurations: ConfigurationHistory;
  readonly #onCommit: ((index: Index, command: string) => void) | undefined;

  /** `onCommit` is told of every command, once, when the first node commits it. */
  constructor(options: ClusterHistoryOptions = {}) {
    this.#configurations = new ConfigurationHistory(options.founding);
    this.#onCommit = options.onCommit;
  }

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
    this.#checkElectionSafety(view.state, before?.state);
    if (before?.batches !== view.batches) this.#checkLogMatching(view, before?.batches ?? []);
    if (before?.state.commitIndex !== view.state.commitIndex) this.#checkCommitted(view);
    if (before?.state.configurations !== view.state.configurations)
      this.#configurations.checkNode(view.state, this.commitIndex);
    const hasBegunToLead = view.state.role.type === 'leader' && before?.state.role.type !== 'leader';
    if (hasBegunToLead) this.#checkLeaderCompleteness(view);
  }

  /** A process died: what it had not flushed may be gone. */
  forget(id: NodeId): void {
    this.#seen.delete(id);
    this.#compared.delete(id);
  }

  /** Election Safety: at most one leader can be elected in a given term (§5.2). */
  #checkElectionSafety({ role, currentTerm, self }: State, before: State | undefined): void {
    const isKnown = before?.role.type === 'leader' && before.currentTerm === currentTerm;
    if (role.type !== 'leader' || isKnown) return;
    const leader = this.#leaders.get(currentTerm) ?? self.storeId;
    expectThat(leader === self.storeId, () => `${leader} and ${self.storeId} lead in term ${currentTerm}`);
    this.#leaders.set(currentTerm, self.storeId);
  }

  /**
   * Log Matching: if two logs contain an entry with the same index and term, then the logs are identical up
   * to there (§5.3). It is enough that such an entry is the same and follows the same term, step by step.
   */
  #checkLogMatching({ state, batches, startTerm = term0 }: NodeView, before: readonly EntryBatch[]): void {
    let at = sharedLength(before, batches);
    for (; at < batches.length; at++) {
      const batch = batches[at] as EntryBatch;
      const prev = batches[at - 1];
      const key = batch.term * 2 ** 21 + batch.index; // Fewer entries than that are simulated.
      const prevTerm = prev?.term ?? startTerm;
      const known = this.#batches.get(key) ?? { batch, prevTerm };
      const isSame = isSameBatch(known.batch, batch) && known.prevTerm === prevTerm;
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
      const place = this.#places.get(batch.index) ?? this.#committed.length;
      const known = this.#committed[place] ?? { batch, committedIn: currentTerm };
      const isSame = known.batch.term === batch.term && isSameBatch(known.batch, batch);
      expectThat(isSame, () => `${self.id} commits another entry at ${batch.index} than was committed there`);
      if (place === this.#committed.length) this.#commit(known);
      this.#compared.set(self.id, lastOf(batch));
    }
  }

  #commit(committed: CommittedBatch): void {
    const { batch } = committed;
    expectThat(
      batch.index === this.commitIndex + 1,
      () => `${batch.index} is committed after ${this.commitIndex}`,
    );
    this.#places.set(batch.index, this.#committed.length);
    this.#committed.push(committed);
    if (batch.kind === 'configuration') this.#configurations.commit(batch);
    commandsOf(batch).forEach((command, at) => {
      const index = plus(batch.index, at);
      this.#commands.set(index, command);
      this.#onCommit?.(index, command);
    });
  }

  /** A state machine holds the committed commands, in order, each once: those from place `from` on are looked at. */
  checkMachine(id: NodeId, applied: readonly Applied[], from = 0): void {
    for (let place = from; place < applied.length; place++) {
      const { index, command } = applied[place] as Applied;
      const committed = this.#commands.get(index);
      expectThat(
        command === committed,
        () => `${id} has applied ${command} at ${index}, where ${committed} is committed`,
      );
      const before = applied[place - 1]?.index ?? 0;
      expectThat(index > before, () => `${id} has applied ${index} after ${before}`);
    }
  }

  /** A state machine that has applied through `index` has left out nothing. */
  checkWhole(id: NodeId, applied: readonly Applied[], through: Index): void {
    const expected = [...this.#commands.keys()].filter((index) => index <= through).length;
    expectThat(
      applied.length === expected,
      () => `${id} has applied ${applied.length} of ${expected} commands through ${through}`,
    );
  }

  /** Leader Completeness: what was committed is in the logs of the leaders of all later terms (§5.4.3). */
  #checkLeaderCompleteness({ state, batches }: NodeView): void {
    const heldAt = new Map(batches.map((batch) => [batch.index, batch]));
    this.#committed.forEach(({ batch, committedIn }) => {
      if (committedIn > state.currentTerm) return; // This leader was elected long ago, and learns it now.
      if (lastOf(batch) <= state.log.startIndex) return; // Compacted.
      const held = heldAt.get(batch.index);
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

/**
 * How many batches of a log stood there before. A log is cut at its end or at its start, and grows at its end: so where
 * one batch is the same, what precedes it is too.
 */
function sharedLength(before: readonly EntryBatch[], after: readonly EntryBatch[]): number {
  const first = after[0];
  if (first === undefined) return 0;
  const dropped = Math.max(0, before[0] === first ? 0 : before.indexOf(first));
  let length = Math.min(before.length - dropped, after.length);
  while (length > 0 && before[dropped + length - 1] !== after[length - 1]) length -= 1;
  return length;
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
