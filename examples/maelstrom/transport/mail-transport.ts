import {
  asyncScheduler,
  interval,
  type Observable,
  type SchedulerLike,
  Subject,
  type Subscription,
} from 'rxjs';
import type { NodeId, Peer } from 'rxraft';
import {
  type LinkStatus,
  type MemberAddress,
  type PeerFrame,
  type Transport,
  TransportError,
  type TransportEvent,
  type TransportIdentity,
} from 'rxraft/transport';
import { IncomingLinks } from './incoming-links.ts';
import { type LinkBody, linkBodyOf } from './link-body.ts';
import { defaultLimits, type LinkHost, type LinkLimits } from './link-host.ts';
import { OutgoingLink } from './outgoing-link.ts';

/** How a {@link MailTransport} is put together. */
export interface MailTransportOptions extends Partial<LinkLimits> {
  /** Sends a message to the node of that name. It may be lost, late, doubled or overtaken; never throws. */
  readonly post: (to: string, body: LinkBody) => void;
  /** Gives time. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
}

/** Where a node is dialed that a message reaches under this name. */
export function urlOf(name: string): string {
  return `ws://${name}`;
}

/**
 * The network of one node over messages that anything may happen to. There is no connection, so this makes some:
 * a handshake draws the two random names of a link, messages on it are counted, acknowledged, sent again, put
 * into order, and taken once; silence is its end. What the library then sees is what WebSockets would show it.
 */
export class MailTransport implements Transport, LinkHost {
  readonly event$: Observable<TransportEvent>;
  readonly limits: LinkLimits;
  readonly #events = new Subject<TransportEvent>();
  readonly #options: MailTransportOptions;
  readonly #incoming: IncomingLinks;
  readonly #outgoing = new Map<NodeId, OutgoingLink>();
  /** Until when peers that were hung up on are turned away. */
  readonly #pausedUntilMs = new Map<NodeId, number>();
  readonly #toFlush = new Set<{ flush(): void }>();
  #peers: readonly MemberAddress[] = [];
  #identity: TransportIdentity | null = null;
  #pulse: Subscription | null = null;
  #isClosed = false;

  constructor(options: MailTransportOptions) {
    this.#options = options;
    this.limits = { ...defaultLimits, ...options };
    this.event$ = this.#events.asObservable();
    this.#incoming = new IncomingLinks(this, (id) => this.#outgoing.get(id)?.hurry());
  }

  get frameBytesMax(): number {
    return this.limits.frameBytesMax;
  }

  get identity(): TransportIdentity {
    return this.#identity as TransportIdentity; // Nothing is dialed or accepted before `open`.
  }

  async open(identity: TransportIdentity): Promise<void> {
    if (this.#identity !== null || this.#isClosed) {
      const message = 'this transport was opened before; make a new one for each start';
      throw new TransportError('RAFT_TRANSPORT_USED', message);
    }
    this.#identity = identity;
    const { scheduler = asyncScheduler } = this.#options;
    this.#pulse = interval(this.limits.pulseMs, scheduler).subscribe(() => this.#onPulse());
    this.#dialPeers();
  }

  /** A message came from the node of that name; whether it has to do with this transport is found out here. */
  receive(from: string, body: Readonly<Record<string, unknown>>): void {
    const read = linkBodyOf(body);
    if (read === null || this.#identity === null || this.#isClosed) return;
    switch (read.type) {
      case 'rxraft_hello':
        return this.#incoming.onHello(from, read);
      case 'rxraft_frames':
        return this.#incoming.onFrames(from, read);
      case 'rxraft_end':
        this.#incoming.onEnd(read);
        break;
    }
    for (const outgoing of [...this.#outgoing.values()]) outgoing.receive(read); // One of them knows the link.
  }

  setPeers(peers: readonly MemberAddress[]): void {
    peers.forEach(nameOf);
    if (this.#isClosed) return;
    this.#peers = peers;
    const urls = new Map(peers.map(({ id, url }) => [id, url]));
    for (const [id, outgoing] of [...this.#outgoing]) {
      if (urls.get(id) === outgoing.address.url) continue;
      this.#outgoing.delete(id);
      outgoing.close();
    }
    if (this.#identity !== null) this.#dialPeers();
  }

  #dialPeers(): void {
    const self = this.identity.hello().id;
    for (const address of this.#peers) {
      if (address.id === self || this.#outgoing.has(address.id)) continue;
      const outgoing = new OutgoingLink(address, nameOf(address), this);
      this.#outgoing.set(address.id, outgoing);
      outgoing.pulse(this.now());
    }
  }

  send(to: Peer, frame: PeerFrame): boolean {
    return this.#outgoing.get(to.id)?.send(to, frame) ?? false;
  }

  hangUp(id: NodeId, _reason: string): void {
    if (this.#isClosed) return;
    this.#pausedUntilMs.set(id, this.now() + this.limits.backoffMsMax);
    this.#incoming.hangUp(id);
    this.#outgoing.get(id)?.close();
  }

  links(): readonly LinkStatus[] {
    return this.#peers.map(({ id, url }) => {
      const status = this.#outgoing.get(id)?.status() ?? {
        id,
        url,
        isOutgoingOpen: false,
        rttMs: null,
        bufferedBytes: 0,
        droppedFrames: 0,
      };
      return { ...status, isIncomingOpen: this.#incoming.isOpenTo(id) };
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#flush();
    this.#events.complete();
    this.#pulse?.unsubscribe();
    for (const outgoing of this.#outgoing.values()) outgoing.close();
    this.#outgoing.clear();
    this.#incoming.closeAll();
    this.#isClosed = true;
  }

  /** Monotonic, unless the scheduler that was given is not. */
  now(): number {
    return this.#options.scheduler?.now() ?? performance.now();
  }

  post(to: string, body: LinkBody): void {
    if (!this.#isClosed) this.#options.post(to, body);
  }

  emit(event: TransportEvent): void {
    this.#events.next(event); // Completed once the transport closes: says nothing more.
  }

  emitIfDown(id: NodeId): void {
    const isOutgoingOpen = this.#outgoing.get(id)?.isOpen ?? false;
    if (!isOutgoingOpen && !this.#incoming.isOpenTo(id)) this.emit({ type: 'down', id });
  }

  onViolation(id: NodeId, detail: string): void {
    this.emit({ type: 'protocolError', id, detail });
    this.hangUp(id, detail);
  }

  isPaused(id: NodeId): boolean {
    return this.now() < (this.#pausedUntilMs.get(id) ?? 0);
  }

  flushSoon(link: { flush(): void }): void {
    if (this.#toFlush.size === 0) setImmediate(() => this.#flush());
    this.#toFlush.add(link);
  }

  #flush(): void {
    const links = [...this.#toFlush];
    this.#toFlush.clear();
    for (const link of links) link.flush();
  }

  #onPulse(): void {
    const now = this.now();
    this.#incoming.pulse(now);
    for (const outgoing of [...this.#outgoing.values()]) outgoing.pulse(now);
  }
}

/** The name under which messages reach a peer. Throws `RAFT_BAD_URL` if its address has none. */
function nameOf({ id, url }: MemberAddress): string {
  const name = /^wss?:\/\/([\x21-\x22\x24-\x7e]{1,256})$/.exec(url)?.[1];
  if (name !== undefined) return name;
  const message = `${JSON.stringify(url)}, the address of ${id}, names no node. No link was changed. Write it as ws://NODE`;
  throw new TransportError('RAFT_BAD_URL', message, { url });
}
