import { isIPv4 } from 'node:net';
import { interval, type Observable, type SchedulerLike, Subject, type Subscription } from 'rxjs';
import type { NodeId, Peer } from '../core/index.ts';
import { seedRandom } from '../core/random.ts';
import { TransportError } from './errors.ts';
import type { Patience } from './frame-codec.ts';
import { decodePeerMessage, encodePeerMessage } from './message-codec.ts';
import { OutgoingMessages } from './outgoing-messages.ts';
import { checkUrl } from './peer-url.ts';
import { type Random, seededRandom } from './random.ts';
import type {
  LinkStatus,
  MemberAddress,
  PeerFrame,
  Transport,
  TransportEvent,
  TransportIdentity,
} from './transport.ts';
import { WsAcceptor } from './ws-acceptor.ts';
import { WsDialer } from './ws-dialer.ts';
import type { WsHost } from './ws-host.ts';
import { settingsOf, type WsLimits, type WsSettings, type WsTransportOptions } from './ws-options.ts';
import { closeCode, type PeerSocket } from './ws-socket.ts';

/** Milliseconds that a frame waits for which nobody waits. */
const momentMs = 1;

/** A transport over WebSockets. */
export interface WsTransport extends Transport {
  /** The port it listens on, also where any free one was asked for; `null` until it is open. */
  readonly port: number | null;
  /** The URL that peers on this machine dial; `null` until it is open. */
  readonly url: string | null;
}

/**
 * The network of one node over WebSockets: a server that peers dial, and one connection to each peer.
 *
 * What one event-loop turn sends to a peer leaves in one message when that turn's I/O is done (`setImmediate`); entries
 * leave at once, and an AppendEntries without any waits a little for some to go with (docs/decisions/0030). `down` is
 * said only when neither direction is open. Events may come from inside `setPeers` and `hangUp`.
 */
export function wsTransport(options: WsTransportOptions): WsTransport {
  return new WebSocketTransport(settingsOf(options));
}

class WebSocketTransport implements WsTransport, WsHost {
  readonly event$: Observable<TransportEvent>;
  readonly limits: WsLimits;
  readonly scheduler: SchedulerLike;
  readonly clock: () => number;
  random: Random = () => 0;
  port: number | null = null;
  private readonly settings: WsSettings;
  private readonly events = new Subject<TransportEvent>();
  private known: TransportIdentity | null = null;
  private acceptor: WsAcceptor | null = null;
  private peers: readonly MemberAddress[] = [];
  private readonly dialers = new Map<NodeId, WsDialer>();
  private readonly sockets = new Set<PeerSocket>();
  /** Who is turned away, and the timers that end it. */
  private readonly paused = new Map<NodeId, Subscription>();
  private readonly timers: Subscription[] = [];
  private readonly messages = new OutgoingMessages();
  private readonly toFlush = new Set<WsDialer>();
  private isFlushNear = false;
  private isFlushDue = false;
  private isLateFlushDue = false;
  /** When what can wait leaves. Not taken back where it leaves earlier: a timer for each would cost more. */
  private moment: Subscription | null = null;
  private isClosing = false;
  private closing: Promise<void> | null = null;
  private whenGone: () => void = () => undefined;

  constructor(settings: WsSettings) {
    this.settings = settings;
    this.limits = settings.limits;
    this.scheduler = settings.scheduler;
    this.clock = settings.clock;
    this.event$ = this.events.asObservable();
  }

  get identity(): TransportIdentity {
    return this.known as TransportIdentity; // Nothing is dialed or accepted before `open`.
  }

  get frameBytesMax(): number {
    return this.limits.frameBytesMax;
  }

  get url(): string | null {
    const { host } = this.settings;
    return this.port === null ? null : `ws://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  async open(identity: TransportIdentity): Promise<void> {
    if (this.known !== null || this.isClosing) {
      throw new TransportError(
        'RAFT_TRANSPORT_USED',
        'this transport was opened before; make a new one for each start',
      );
    }
    checkAddress(this.settings);
    checkHello(identity);
    this.known = identity;
    // With the name, so that nodes given one seed do not all come back at the same moment.
    this.random = seededRandom(seedRandom(this.settings.seed, identity.hello().id));
    const acceptor = new WsAcceptor(this);
    const { port } = await acceptor.listen(this.settings);
    if (this.isClosing) return acceptor.stop({ code: closeCode.goingAway, reason: 'closing' });
    this.port = port;
    this.acceptor = acceptor;
    this.timers.push(interval(this.limits.pingMs, this.scheduler).subscribe(() => this.pulse()));
    this.dialPeers();
  }

  setPeers(peers: readonly MemberAddress[]): void {
    peers.forEach(checkUrl);
    if (this.isClosing) return;
    this.peers = peers;
    const urls = new Map(peers.map(({ id, url }) => [id, url]));
    for (const [id, dialer] of [...this.dialers]) {
      if (urls.get(id) === dialer.address.url) continue;
      this.dialers.delete(id);
      dialer.stop('this node is no longer a peer');
    }
    if (this.acceptor !== null) this.dialPeers();
  }

  send(to: Peer, frame: PeerFrame): boolean {
    const dialer = this.dialers.get(to.id);
    const patience = dialer?.send(to, frame) ?? null;
    if (dialer === undefined || patience === null) return false;
    this.toFlush.add(dialer);
    this.flushSoon(patience);
    return true;
  }

  /** Sees to it that all frames leave once the first of them has to: they leave together (docs/decisions/0030). */
  private flushSoon(patience: Patience): void {
    if (patience === 'none') {
      if (!this.isFlushNear) queueMicrotask(this.flush); // What the core emitted together leaves together.
      this.isFlushNear = true;
    } else if (this.isFlushDue) return;
    else if (patience === 'turn') {
      this.isFlushDue = true;
      setImmediate(this.flush);
    } else if (patience === 'nextTurn' && !this.isLateFlushDue) {
      this.isLateFlushDue = true;
      setImmediate(setImmediate, this.flush); // After the I/O of that turn, too.
    } else if (patience === 'moment' && !this.isFlushNear && !this.isLateFlushDue)
      this.moment ??= this.scheduler.schedule(this.onMoment, momentMs);
  }

  private readonly onMoment = (): void => {
    this.moment = null;
    if (this.toFlush.size > 0) this.flush();
  };

  hangUp(id: NodeId, reason: string): void {
    this.pause(id);
    this.acceptor?.hangUp(id, { code: closeCode.policy, reason });
    this.dialers.get(id)?.hangUp(closeCode.policy, reason);
  }

  links(): readonly LinkStatus[] {
    return this.peers.map(({ id, url }) => {
      const dialer = this.dialers.get(id);
      const status = dialer?.status() ?? { rttMs: null, bufferedBytes: 0, droppedFrames: 0 };
      return {
        id,
        url,
        isOutgoingOpen: dialer?.isOpen ?? false,
        isIncomingOpen: this.isIncomingOpen(id),
        ...status,
      };
    });
  }

  close(): Promise<void> {
    if (this.isClosing) return this.closing ?? Promise.resolve();
    this.isClosing = true;
    this.closing = this.closeAll();
    return this.closing;
  }

  emit(event: TransportEvent): void {
    this.events.next(event); // Completed once the transport closes: says nothing more.
  }

  emitIfDown(id: NodeId): void {
    const isOutgoingOpen = this.dialers.get(id)?.isOpen ?? false;
    if (!isOutgoingOpen && !this.isIncomingOpen(id)) this.emit({ type: 'down', id });
  }

  onDialedBy(id: NodeId): void {
    if (!this.isClosing) this.dialers.get(id)?.hurry();
  }

  onViolation(id: NodeId | null, detail: string): void {
    if (id !== null) this.pause(id);
    this.emit({ type: 'protocolError', id, detail });
  }

  isPaused(id: NodeId): boolean {
    return this.paused.has(id);
  }

  watch(socket: PeerSocket): void {
    this.sockets.add(socket);
  }

  unwatch(socket: PeerSocket): void {
    this.sockets.delete(socket);
    if (this.sockets.size === 0) this.whenGone();
  }

  private isIncomingOpen(id: NodeId): boolean {
    return this.acceptor?.isOpenTo(id) ?? false;
  }

  private dialPeers(): void {
    const self = this.identity.hello().id;
    for (const address of this.peers) {
      const isMissing = address.id !== self && !this.dialers.has(address.id); // The list may name this node too.
      if (isMissing) this.dialers.set(address.id, new WsDialer(address, this));
    }
  }

  private readonly flush = (): void => {
    this.isFlushNear = false;
    this.isFlushDue = false;
    this.isLateFlushDue = false;
    const dialers = [...this.toFlush];
    this.toFlush.clear();
    for (const dialer of dialers) dialer.flush(this.messages);
    this.messages.endFlush();
  };

  private pulse(): void {
    for (const socket of [...this.sockets]) socket.pulse();
  }

  /** Turns a node away until the longest back-off has passed. */
  private pause(id: NodeId): void {
    if (this.isClosing || this.paused.has(id)) return;
    const { backoffMsMax } = this.limits;
    this.paused.set(
      id,
      this.scheduler.schedule(() => this.paused.delete(id), backoffMsMax),
    );
  }

  private async closeAll(): Promise<void> {
    this.events.complete();
    this.flush();
    this.moment?.unsubscribe();
    for (const timer of [...this.timers, ...this.paused.values()]) timer.unsubscribe();
    for (const dialer of this.dialers.values()) dialer.stop('this node is closing');
    this.dialers.clear();
    const stopped = this.acceptor?.stop({ code: closeCode.goingAway, reason: 'this node is closing' });
    await Promise.all([stopped, this.allGone()]);
  }

  private allGone(): Promise<void> {
    if (this.sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenGone = resolve;
    });
  }
}

function checkAddress({ host, port, isInsecure }: WsSettings): void {
  if (isInsecure || isLoopback(host)) return;
  throw new TransportError(
    'RAFT_INSECURE_ADDRESS',
    `${host} port ${port} can be reached from other machines, and whoever reaches it can speak as a node: connections are neither encrypted nor authenticated. Nothing was opened. Listen on 127.0.0.1 behind a tunnel that is both, or, on a network where everyone is trusted, set isInsecure (--insecure)`,
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** A hello that peers can't read would be refused by each of them for ever: better to say so here. */
function checkHello(identity: TransportIdentity): void {
  const read = decodePeerMessage(encodePeerMessage({ type: 'hello', hello: identity.hello() }));
  if (read.type !== 'error') return;
  throw new TransportError(
    'RAFT_BAD_HELLO',
    `peers could not read how this node introduces itself (${read.detail}). Nothing was opened. Check its name (1 to 64 of A-Z a-z 0-9 . _ -) and the list of members (at most 100, ws://HOST:PORT each)`,
  );
}
