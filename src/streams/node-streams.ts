import { BehaviorSubject, Observable, ReplaySubject, Subject } from 'rxjs';
import {
  type Configuration,
  configurationOf,
  type EntryBatch,
  type NodeId,
  plus,
  type State,
} from '../core/index.ts';
import type { Commit, RoleName } from './raft-node.ts';
import { leaderIdOf, roleNameOf } from './status.ts';

/** What a node shows of itself: hot, shared streams, which complete together. */
export class NodeStreams<Command> {
  /** Replays the latest state. A node takes many steps for a write, and mostly nobody looks. */
  readonly state$ = new Observable<State>((subscriber) => {
    const latest = this.#state;
    // Before it is shown the latest one, which may lead to the next: none is missed.
    const subscription = this.#isComplete ? undefined : this.#states.subscribe(subscriber);
    if (latest !== null) subscriber.next(latest);
    if (this.#isComplete) subscriber.complete();
    return subscription;
  });
  readonly role$ = new BehaviorSubject<RoleName>('follower');
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly members$ = new ReplaySubject<Configuration>(1);
  readonly commits$ = new Subject<Commit<Command>>();
  /** Emits whenever the applied index has moved. */
  readonly applied$ = new Subject<void>();
  readonly #states = new Subject<State>();
  #state: State | null = null;
  #isComplete = false;
  #role: RoleName = 'follower';
  #leaderId: NodeId | null = null;

  /** The latest state; `null` before the cluster is founded. */
  get state(): State | null {
    return this.#state;
  }

  /** Who leads, as far as this node knows. */
  get leaderId(): NodeId | null {
    return this.#leaderId;
  }

  /** Shows a new state, and of role, leader and members what has changed. */
  onState(state: State): void {
    const previous = this.#state;
    this.#state = state;
    if (this.#states.observed) this.#states.next(state);
    const isNewConfiguration = state.configurations !== previous?.configurations;
    if (isNewConfiguration) this.members$.next(configurationOf(state));
    if (state.role === previous?.role && !isNewConfiguration) return;
    const wasRole = this.#role;
    const wasLeaderId = this.#leaderId;
    this.#role = roleNameOf(state);
    this.#leaderId = leaderIdOf(state);
    if (this.#role !== wasRole) this.role$.next(this.#role);
    if (this.#leaderId !== wasLeaderId) this.leader$.next(this.#leaderId);
  }

  /** Shows a batch that has been applied. */
  onApplied({ index, term, logTimeMs }: EntryBatch, commands: readonly Command[]): void {
    if (this.commits$.observed) {
      commands.forEach((command, offset) => {
        this.commits$.next({ index: plus(index, offset), term, logTimeMs, command });
      });
    }
    if (this.applied$.observed) this.applied$.next();
  }

  complete(): void {
    this.#isComplete = true;
    const { role$, leader$, members$, commits$, applied$ } = this;
    for (const subject of [this.#states, role$, leader$, members$, commits$, applied$]) subject.complete();
  }
}
