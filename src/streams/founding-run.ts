import { type Observable, ReplaySubject, type Subscription } from 'rxjs';
import type { Peer } from '../core/index.ts';
import type { Founding, Storage } from '../storage/storage.ts';
import {
  beginFounding,
  type FoundingAction,
  type FoundingEvent,
  type FoundingState,
  foundingStep,
} from '../transport/founding.ts';
import type { HandshakeRefusal, MemberAddress, PeerFrame, TransportEvent } from '../transport/transport.ts';

/** What a {@link FoundingRun} works with. */
export interface FoundingRunOptions {
  readonly self: Peer;
  readonly declared: readonly MemberAddress[];
  /** `null` in a store that belongs to no cluster. */
  readonly founding: Founding | null;
  readonly storage: Storage;
  readonly send: (to: Peer, frame: PeerFrame) => void;
  readonly hangUp: (id: string, refusal: HandshakeRefusal) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Carries out the founding of the cluster (design §4), and afterwards hands it on to members that have not
 * got it yet. Its decisions are those of `foundingStep`.
 */
export class FoundingRun {
  readonly #options: FoundingRunOptions;
  readonly #founded$ = new ReplaySubject<Founding>(1);
  #state: FoundingState;

  constructor(options: FoundingRunOptions) {
    this.#options = options;
    const { self, declared, founding } = options;
    this.#state = beginFounding({
      self,
      declared,
      founding:
        founding === null ? null : { clusterId: founding.clusterId, voters: founding.configuration.voters },
    });
  }

  /** Emits once, when this store durably belongs to a cluster; not if it did from the start. Replays it. */
  get founded$(): Observable<Founding> {
    return this.#founded$;
  }

  /** Begins, if nothing has happened yet; `resend$` repeats what may have been lost. */
  begin(resend$: Observable<unknown>): Subscription {
    this.#next({ type: 'started', newClusterId: randomId() });
    return resend$.subscribe(() => this.#next({ type: 'resendDue' }));
  }

  /** The configuration in effect changed: who else is to be handed the founding. */
  changeMembers(members: readonly Peer[]): void {
    this.#next({ type: 'membersChanged', members });
  }

  /** What the transport saw. */
  onEvent(event: TransportEvent): void {
    if (event.type === 'up') {
      this.#next({ type: 'helloSeen', hello: event.hello, newClusterId: randomId() });
    } else if (event.type === 'down') {
      this.#next({ type: 'peerGone', id: event.id });
    } else if (event.type === 'frame' && event.frame.type === 'found') {
      this.#next({ type: 'foundReceived', from: event.from, found: event.frame });
    } else if (event.type === 'frame' && event.frame.type === 'foundAck') {
      this.#next({ type: 'ackReceived', from: event.from, clusterId: event.frame.clusterId });
    }
  }

  #next(event: FoundingEvent): void {
    const { state, actions } = foundingStep(this.#state, event);
    this.#state = state;
    for (const action of actions) this.#carryOut(action);
  }

  #carryOut(action: FoundingAction): void {
    if (action.type === 'send') this.#options.send(action.to, action.frame);
    else if (action.type === 'hangUp') this.#options.hangUp(action.id, action.refusal);
    else this.#persist(action.founding);
  }

  #persist({ clusterId, voters }: Extract<FoundingAction, { type: 'persistFounding' }>['founding']): void {
    const founding: Founding = { clusterId, configuration: { voters, votersOutgoing: [], learners: [] } };
    this.#options.storage
      .found(founding)
      .then(() => {
        this.#founded$.next(founding);
        this.#founded$.complete();
        this.#next({ type: 'foundDurable' });
      })
      .catch(this.#options.onError);
  }
}

/** 128 random bits, as 32 hexadecimal digits. */
function randomId(): string {
  const words = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}
