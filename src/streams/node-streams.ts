import { BehaviorSubject, ReplaySubject, Subject } from 'rxjs';
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
  readonly state$ = new ReplaySubject<State>(1);
  readonly role$ = new BehaviorSubject<RoleName>('follower');
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly members$ = new ReplaySubject<Configuration>(1);
  readonly commits$ = new Subject<Commit<Command>>();
  /** Emits whenever the applied index has moved. */
  readonly applied$ = new Subject<void>();
  #state: State | null = null;

  /** The latest state; `null` before the cluster is founded. */
  get state(): State | null {
    return this.#state;
  }

  /** Shows a new state, and of role, leader and members what has changed. */
  onState(state: State): void {
    const previous = this.#state;
    this.#state = state;
    this.state$.next(state);
    const isNewConfiguration = state.configurations !== previous?.configurations;
    if (isNewConfiguration) this.members$.next(configurationOf(state));
    if (state.role === previous?.role && !isNewConfiguration) return;
    const role = roleNameOf(state);
    const leaderId = leaderIdOf(state);
    if (role !== this.role$.value) this.role$.next(role);
    if (leaderId !== this.leader$.value) this.leader$.next(leaderId);
  }

  /** Shows a batch that has been applied. */
  onApplied({ index, term, logTimeMs }: EntryBatch, commands: readonly Command[]): void {
    if (this.commits$.observed) {
      commands.forEach((command, offset) => {
        this.commits$.next({ index: plus(index, offset), term, logTimeMs, command });
      });
    }
    this.applied$.next();
  }

  complete(): void {
    const { state$, role$, leader$, members$, commits$, applied$ } = this;
    for (const subject of [state$, role$, leader$, members$, commits$, applied$]) subject.complete();
  }
}
