import type { RaftNode } from 'rxraft';
import type { TimerFigures } from './orders.ts';

const unstarted: TimerFigures = { elapsedMs: 0, timeoutMs: 1 };

/** Watches how near a node's election timer comes to its end while it follows a leader, from the first time it is asked. */
export class TimerWatch {
  readonly #state$: RaftNode<never, never, never, never>['state$'];
  #worst: TimerFigures | null = null;

  constructor({ state$ }: Pick<RaftNode<never, never, never, never>, 'state$'>) {
    this.#state$ = state$;
  }

  /** The worst since the last time. */
  take(): TimerFigures {
    if (this.#worst === null) this.#watch();
    const worst = this.#worst ?? unstarted;
    this.#worst = unstarted;
    return worst;
  }

  #watch(): void {
    this.#state$.subscribe(({ role, electionElapsedMs: elapsedMs, electionTimeoutMs: timeoutMs }) => {
      const isFollowing = role.type === 'follower' && role.leader !== null;
      const { elapsedMs: most, timeoutMs: of } = this.#worst ?? unstarted;
      if (isFollowing && elapsedMs / timeoutMs > most / of) this.#worst = { elapsedMs, timeoutMs };
    });
  }
}
