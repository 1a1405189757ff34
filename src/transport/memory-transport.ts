import { type Observable, Subject, type Subscription } from 'rxjs';
import type { NodeId, Peer } from '../core/index.ts';
import { Backoff } from './backoff.ts';
import { TransportError } from './errors.ts';
import { isPiece } from './frame-codec.ts';
import { judgeAcceptor, judgeDialer } from './handshake.ts';
import { Incoming } from './incoming.ts';
import { MemoryConnection } from './memory-connection.ts';
import type { Network } from './memory-network.ts';
import { checkUrl } from './peer-url.ts';
import type {
  HandshakeRefusal,
  Hello,
  LinkStatus,
  MemberAddress,
  PeerFrame,
  Transport,
  TransportEvent,
  TransportIdentity,
} from './transport.ts';

/** A peer that this node keeps a connection to. */
interface Dialed {
  readonly address: MemberAddress;
  connection: MemoryConnection | null;
  /** What is under way: a handshake, or the wait before the next. */
  pending: Subscription | null;
  readonly backoff: Backoff;
  rttMs: number | null;
  droppedFrames: number;
}

/** The network of one node, in memory. Made by `memoryNetwork().transport(url)`. */
export class MemoryTransport implements Transport {
  readonly event$: Observable<TransportEvent>;
  private readonly events = new Subject<TransportEvent>();
  private readonly url: string;
  private readonly network: Network;
  private identity: TransportIdentity | null = null;
  private dialed = new Map<NodeId, Dialed>();
  private readonly incoming = new Incoming<MemoryConnection>();
  /** When peers were hung up on: for a while they are turned away. */
  private readonly hungUpMs = new Map<NodeId, number>();
  private hasEnded = false;

  constructor(url: string, network: Network) {
    this.url = url;
    this.network = network;
    this.event$ = this.events.asObservable();
  }

  /** The name of the node, once it is open. */
  get id(): NodeId | null {
    return this.identity === null ? null : this.identity.hello().id;
  }

  async open(identity: TransportIdentity): Promise<void> {
    if (this.identity !== null || this.hasEnded) {
      throw new TransportError(
        'RAFT_TRANSPORT_USED',
        'this transport was opened before; make a new one for each start',
      );
    }
    if (!this.network.claim(this.url, this)) {
      throw new TransportError(
        'RAFT_PORT_IN_USE',
        `another node of this network listens at ${this.url}; close it first`,
      );
    }
    this.identity = identity;
    for (const peer of this.dialed.values()) this.dial(peer);
  }

  setPeers(peers: readonly MemberAddress[]): void {
    peers.forEach(checkUrl);
    if (this.hasEnded) return;
    const before = this.dialed;
    this.dialed = new Map();
    for (const address of peers) {
      const known = before.get(address.id);
      const isKept = known?.address.url === address.url;
      this.dialed.set(address.id, isKept ? known : this.newPeer(address));
      if (isKept) before.delete(address.id);
    }
    for (const peer of before.values()) this.leave(peer);
    if (this.identity === null) return;
    for (const peer of this.dialed.values()) if (isIdle(peer)) this.dial(peer);
  }

  send(to: Peer, frame: PeerFrame): boolean {
    const peer = this.dialed.get(to.id);
    if (peer === undefined) return false;
    const isThere = peer.connection?.hellos.acceptor.storeId === to.storeId;
    const isTaken = isThere && peer.connection?.send(frame) === true;
    if (!isTaken && !isPiece(frame)) peer.droppedFrames++;
    return isTaken;
  }

  hangUp(id: NodeId, _reason: string): void {
    if (this.hasEnded) return;
    this.hungUpMs.set(id, this.network.scheduler.now());
    for (const connection of this.incoming.of(id)) connection.closeFromAcceptor();
    this.dialed.get(id)?.connection?.closeFromDialer();
  }

  links(): readonly LinkStatus[] {
    return [...this.dialed.values()].map(({ address, connection, rttMs, droppedFrames }) => ({
      id: address.id,
      url: address.url,
      isOutgoingOpen: connection !== null,
      isIncomingOpen: this.isIncomingOpen(address.id),
      rttMs,
      bufferedBytes: 0, // Nothing is buffered in memory: frames are on their way at once.
      droppedFrames,
    }));
  }

  async close(): Promise<void> {
    this.end();
  }

  /** Ends all at once; nothing more is emitted. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.identity !== null) this.network.release(this.url);
    for (const peer of this.dialed.values()) this.leave(peer);
    for (const connection of this.incoming.all()) connection.closeFromAcceptor();
    this.dialed.clear();
    this.events.complete();
  }

  /** The handshake of a connection that this node accepted is done. */
  onAccepted(connection: MemoryConnection): void {
    const hello = connection.hellos.dialer;
    const wasHungUpOn = (this.hungUpMs.get(hello.id) ?? -1) >= connection.answeredMs; // During the handshake.
    if (this.hasEnded || wasHungUpOn) return connection.closeFromAcceptor();
    for (const older of this.incoming.add(hello, connection)) older.closeFromAcceptor();
    this.emit({ type: 'up', hello, direction: 'incoming' });
  }

  onFrame(connection: MemoryConnection, frame: PeerFrame): void {
    const { id, storeId, bootCounter } = connection.hellos.dialer;
    if (!this.incoming.has(connection.hellos.dialer, connection)) return; // Replaced by a newer one.
    this.emit({ type: 'frame', from: { id, storeId }, bootCounter, frame });
  }

  onIncomingClosed(connection: MemoryConnection): void {
    const { dialer } = connection.hellos;
    const removed = this.incoming.remove(dialer, connection);
    if (removed === undefined) return; // Replaced by a newer one.
    const { meant } = removed;
    if (meant !== undefined) this.emit({ type: 'up', hello: meant.hellos.dialer, direction: 'incoming' });
    this.emitIfDown(dialer.id);
  }

  onOutgoingClosed(connection: MemoryConnection): void {
    const { id } = connection.hellos.acceptor;
    const peer = this.dialed.get(id);
    const isListed = peer?.connection === connection;
    if (isListed) peer.connection = null;
    this.emit({ type: 'outgoingDown', id });
    this.emitIfDown(id);
    if (isListed) this.dialAgain(peer, { hasLived: this.hasLived(peer, connection) });
  }

  private emit(event: TransportEvent): void {
    if (!this.hasEnded) this.events.next(event);
  }

  private emitIfDown(id: NodeId): void {
    const isOutgoingOpen = (this.dialed.get(id)?.connection ?? null) !== null;
    if (!isOutgoingOpen && !this.isIncomingOpen(id)) this.emit({ type: 'down', id });
  }

  private isIncomingOpen(id: NodeId): boolean {
    return this.incoming.of(id).length > 0;
  }

  /** Milliseconds for which a peer that was hung up on is still turned away. */
  private pauseMs(id: NodeId): number {
    const hungUpMs = this.hungUpMs.get(id);
    if (hungUpMs === undefined) return 0;
    return Math.max(0, hungUpMs + this.network.backoff.backoffMsMax - this.network.scheduler.now());
  }

  /** Whether it stayed open for as long as a question and its answer take. */
  private hasLived(peer: Dialed, connection: MemoryConnection): boolean {
    return this.network.scheduler.now() - connection.openedMs >= (peer.rttMs ?? 0);
  }

  private newPeer(address: MemberAddress): Dialed {
    const backoff = new Backoff(this.network.backoff, this.network.random);
    return { address, connection: null, pending: null, backoff, rttMs: null, droppedFrames: 0 };
  }

  private leave(peer: Dialed): void {
    peer.pending?.unsubscribe();
    const { connection } = peer;
    peer.connection = null;
    connection?.closeFromDialer();
  }

  private dialAgain(peer: Dialed, { hasLived }: { hasLived: boolean }): void {
    if (this.hasEnded || this.dialed.get(peer.address.id) !== peer) return;
    const backoffMs = peer.backoff.waitMs({ hasLived, nowMs: this.network.scheduler.now() });
    const waitMs = Math.max(this.pauseMs(peer.address.id), backoffMs);
    peer.pending = this.network.after(waitMs, () => this.dial(peer));
  }

  /** The handshake: our hello on its way, the answer on its way back. */
  private dial(peer: Dialed): void {
    const startMs = this.network.scheduler.now();
    const hello = (this.identity as TransportIdentity).hello();
    if (hello.id === peer.address.id) return; // The list may name this node too.
    peer.pending = this.network.after(this.network.delayMs(), () => {
      const answer = this.answerOf(peer.address, hello);
      peer.pending = this.network.after(this.network.delayMs(), () => {
        if (answer !== null) peer.rttMs = this.network.scheduler.now() - startMs;
        peer.pending = null;
        this.onAnswer(peer, { hello, answer });
      });
    });
  }

  /** What the node at an address says to our hello; `null` when it can't be reached. */
  private answerOf({ id, url }: MemberAddress, hello: Hello): Answer | null {
    const acceptor = this.network.at(url);
    if (acceptor === undefined || !this.network.isReachable(hello.id, acceptor.id ?? id)) return null;
    return acceptor.answer(hello);
  }

  /** Judges a node that dials us. */
  private answer(hello: Hello): Answer | null {
    const { identity } = this;
    if (identity === null || this.pauseMs(hello.id) > 0) return null;
    const refusal = judgeDialer(identity, hello);
    const answeredMs = this.network.scheduler.now();
    if (refusal === null) return { from: this, hello: identity.hello(), answeredMs };
    this.emit({ type: 'refused', by: 'us', id: hello.id, refusal });
    return { from: this, refusal };
  }

  private onAnswer(peer: Dialed, { hello, answer }: { hello: Hello; answer: Answer | null }): void {
    const isLost = answer === null || answer.from.hasEnded;
    if (isLost || !this.network.isReachable(hello.id, answer.from.id ?? '')) {
      return this.dialAgain(peer, { hasLived: false });
    }
    if ('refusal' in answer) return this.onRefused(peer, { by: 'peer', refusal: answer.refusal });
    const { id, url } = peer.address;
    const refusal = judgeAcceptor(this.identity as TransportIdentity, {
      hello: answer.hello,
      dialed: id,
      url,
    });
    if (refusal !== null) {
      answer.from.emit({ type: 'refused', by: 'peer', id: hello.id, refusal });
      return this.onRefused(peer, { by: 'us', refusal });
    }
    const hellos = { dialer: hello, acceptor: answer.hello };
    const { from: acceptor, answeredMs } = answer;
    peer.connection = new MemoryConnection(this.network, { dialer: this, acceptor, hellos, answeredMs });
    this.emit({ type: 'up', hello: answer.hello, direction: 'outgoing' });
  }

  private onRefused(peer: Dialed, { by, refusal }: { by: 'us' | 'peer'; refusal: HandshakeRefusal }): void {
    this.dialAgain(peer, { hasLived: false });
    this.emit({ type: 'refused', by, id: peer.address.id, refusal });
  }
}

/** How a node answers a hello: with its own, or with a refusal. */
type Answer = { readonly from: MemoryTransport } & (
  | { readonly hello: Hello; readonly answeredMs: number }
  | { readonly refusal: HandshakeRefusal }
);

function isIdle(peer: Dialed): boolean {
  return peer.connection === null && peer.pending === null;
}
