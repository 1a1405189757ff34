import { type Observable, Subject } from 'rxjs';
import type { Peer } from '../../core/index.ts';
import type {
  LinkStatus,
  MemberAddress,
  PeerFrame,
  Transport,
  TransportEvent,
  TransportIdentity,
} from '../../transport/transport.ts';
import type { NodeLoop } from './node-loop.ts';

/** The transport of one process: what arrives waits for the process's event loop, and what is sent is told first. */
export class LoopTransport implements Transport {
  readonly event$: Observable<TransportEvent>;
  readonly #inner: Transport;
  readonly #onSend: (to: Peer, frame: PeerFrame) => void;

  constructor(inner: Transport, loop: NodeLoop, onSend: (to: Peer, frame: PeerFrame) => void) {
    const events = new Subject<TransportEvent>();
    this.#inner = inner;
    this.#onSend = onSend;
    this.event$ = events.asObservable();
    inner.event$.subscribe({
      next: (event) => loop.run(() => events.next(event)),
      complete: () => events.complete(),
    });
  }

  open(identity: TransportIdentity): Promise<void> {
    return this.#inner.open(identity);
  }

  setPeers(peers: readonly MemberAddress[]): void {
    this.#inner.setPeers(peers);
  }

  send(to: Peer, frame: PeerFrame): boolean {
    this.#onSend(to, frame);
    return this.#inner.send(to, frame);
  }

  hangUp(id: string, reason: string): void {
    this.#inner.hangUp(id, reason);
  }

  links(): readonly LinkStatus[] {
    return this.#inner.links();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
