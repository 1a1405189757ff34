import type { Observable } from 'rxjs';
import type { NodeId, Peer } from '../core/index.ts';
import type {
  LinkStatus,
  MemberAddress,
  PeerFrame,
  Transport,
  TransportEvent,
  TransportIdentity,
} from '../transport/transport.ts';

/** What a {@link HoldingTransport} tells, and asks. */
export interface TransportWatch {
  /** Whether this frame has to wait for {@link HoldingTransport.release}. Asked when the node sends it. */
  readonly isHeld: (to: NodeId, frame: PeerFrame) => boolean;
  /** The node sends a frame. */
  readonly onSend: (to: NodeId, frame: PeerFrame, isHeld: boolean) => void;
  /** Something comes from the network, just before the node sees it. */
  readonly onEvent: (event: TransportEvent) => void;
}

/**
 * The transport of one node, watched, and with a hand on what it sends: a frame that is held leaves when it is
 * released, over the connection of that moment, as if its sender had been slow to write it.
 */
export class HoldingTransport implements Transport {
  readonly #inner: Transport;
  readonly #watch: TransportWatch;
  #held: { readonly to: Peer; readonly frame: PeerFrame }[] = [];

  constructor(inner: Transport, watch: TransportWatch) {
    this.#inner = inner;
    this.#watch = watch;
    inner.event$.subscribe((event) => watch.onEvent(event)); // Before the node subscribes; ends with the network.
  }

  get event$(): Observable<TransportEvent> {
    return this.#inner.event$;
  }

  open(identity: TransportIdentity): Promise<void> {
    return this.#inner.open(identity);
  }

  setPeers(peers: readonly MemberAddress[]): void {
    this.#inner.setPeers(peers);
  }

  send(to: Peer, frame: PeerFrame): boolean {
    const isHeld = this.#watch.isHeld(to.id, frame);
    this.#watch.onSend(to.id, frame, isHeld);
    if (!isHeld) return this.#inner.send(to, frame);
    this.#held.push({ to, frame });
    return true;
  }

  /** The frames of one type that are held for a node leave, in the order in which they were sent. */
  release(id: NodeId, type: PeerFrame['type']): void {
    const released = this.#held.filter(({ to, frame }) => to.id === id && frame.type === type);
    this.#held = this.#held.filter((held) => !released.includes(held));
    for (const { to, frame } of released) this.#inner.send(to, frame);
  }

  hangUp(id: NodeId, reason: string): void {
    this.#inner.hangUp(id, reason);
  }

  links(): readonly LinkStatus[] {
    return this.#inner.links();
  }

  close(): Promise<void> {
    this.#held = [];
    return this.#inner.close();
  }
}
