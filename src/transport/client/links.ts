import { BehaviorSubject, interval, type SchedulerLike, type Subscription } from 'rxjs';
import { type BackoffLimits, backoffMs } from '../backoff.ts';
import type { Random } from '../random.ts';
import { isRepeatable } from './answers.ts';
import type { AnyCall } from './calls.ts';
import { clientCloseCode, Link, type LinkOwner } from './link.ts';
import type { Welcome } from './protocol.ts';
import { ServerList } from './server-list.ts';
import type { ClientSocketConstructor } from './web-socket.ts';

/** The server that a client talks to. */
export interface ClientConnection {
  readonly url: string;
  readonly nodeId: string;
  /** Whether that node leads, as it says itself. */
  readonly isLeader: boolean;
}

/** Bounds on the time that connections take. */
export interface LinkLimits extends BackoffLimits {
  /** Milliseconds that a server has to let a client in. Default 3,000. */
  readonly handshakeTimeoutMs: number;
  /**
   * Milliseconds between pings; a server that leaves four in a row unanswered is given up, unless a long message moves
   * meanwhile. In a browser no part of an answer is seen: it has to arrive in that time. Default 1,000.
   */
  readonly pingMs: number;
}

/** What {@link Links} work with. */
export interface LinksOptions {
  readonly urls: readonly string[];
  readonly WebSocket: ClientSocketConstructor;
  readonly group: number;
  readonly limits: LinkLimits;
  readonly scheduler: SchedulerLike;
  readonly random: Random;
}

/** What the owner of {@link Links} is told. */
export interface LinksOwner
  extends Pick<LinkOwner, 'onWritten' | 'onAnswered' | 'onRefused' | 'onMessageDone'> {
  /** There is a server to send to, or another one than before. */
  onCurrent(): void;
  /** Their connection is gone, or the server has no leader: no answer to these will be heard. */
  onLost(calls: readonly AnyCall[]): void;
}

/** Pulses after which servers that were no help are asked again. */
const retryPulses = 10;
/** Pulses without a leader after which another server may know one. */
const leaderlessPulsesMax = 2;

/**
 * The connections of a client: one to send on, to the leader wherever that can be found; for a moment one that is being
 * tried, and those that still owe answers.
 *
 * A server that does not lead passes requests on, so that it will do until the leader is reached. The leader is known
 * by what servers say: its URL, or its name, which each server tells in its welcome.
 */
export class Links {
  readonly connection$ = new BehaviorSubject<ClientConnection | null>(null);
  readonly #options: LinksOptions;
  readonly #owner: LinksOwner;
  readonly #servers: ServerList;
  readonly #draining = new Set<Link>();
  #current: Link | null = null;
  #attempt: Link | null = null;
  #clusterId: string | null = null;
  #hasSessions = false;
  #pulses = 0;
  #leaderlessPulses = 0;
  #timer: Subscription | null = null;
  #isClosed = false;
  readonly #pulsing: Subscription;

  constructor(options: LinksOptions, owner: LinksOwner) {
    this.#options = options;
    this.#servers = new ServerList(options.urls);
    this.#owner = owner;
    this.#pulsing = interval(options.limits.pingMs, options.scheduler).subscribe(() => this.#pulse());
    this.#seek();
  }

  /** The server to send to. */
  get current(): Link | null {
    return this.#current;
  }

  /** Whether the servers' machine is wrapped in `withSessions`; the same on all of them. */
  get hasSessions(): boolean {
    return this.#hasSessions;
  }

  /** Every request that a server has and has not answered. */
  *sent(): Iterable<AnyCall> {
    for (const link of this.#open()) yield* link.sent;
  }

  /** Why no server can be reached, in words. */
  get problems(): string {
    return this.#servers.problems;
  }

  /** Closes every connection. */
  close(): void {
    this.#isClosed = true;
    this.#pulsing.unsubscribe();
    this.#timer?.unsubscribe();
    for (const link of [...this.#open()]) link.close(clientCloseCode.normal, 'the client closes');
    this.connection$.complete();
  }

  #open(): Iterable<Link> {
    return [this.#current, this.#attempt, ...this.#draining].filter((link) => link !== null);
  }

  /** Dials, if there is a server to dial, after a pause if the last ones were of no use. */
  #seek(): void {
    if (this.#isClosed || this.#attempt !== null || this.#timer !== null) return;
    if (this.#target() === null) return;
    const { limits, random } = this.#options;
    const waitMs = backoffMs(1 + this.#servers.roundsInVain, limits, random);
    if (waitMs === 0) this.#dial();
    else
      this.#timer = this.#options.scheduler.schedule(() => {
        this.#timer = null;
        this.#dial();
      }, waitMs);
  }

  #target(): string | null {
    return this.#servers.next(this.#current, this.#leaderlessPulses >= leaderlessPulsesMax);
  }

  #dial(): void {
    const url = this.#target();
    if (this.#isClosed || url === null) return;
    const { WebSocket, group, limits, scheduler } = this.#options;
    this.#servers.onDial();
    try {
      const link = new Link({ WebSocket, url, group, scheduler, owner: this.#linkOwner });
      this.#attempt = link;
      this.#timer = scheduler.schedule(
        () => link.close(clientCloseCode.silent, 'no welcome came in time'),
        limits.handshakeTimeoutMs,
      );
    } catch (error) {
      this.#onFailed(url, error instanceof Error ? error.message : String(error));
    }
  }

  readonly #linkOwner: LinkOwner = {
    onWelcome: (link) => this.#onWelcome(link),
    onStanding: (link) => this.#onStanding(link),
    onWritten: (call, frame, offset, result) => this.#owner.onWritten(call, frame, offset, result),
    onAnswered: (call, frame, answer) => this.#owner.onAnswered(call, frame, answer),
    onRefused: (call, frame) => this.#owner.onRefused(call, frame),
    onEnded: (link) => this.#onEnded(link),
    onMessageDone: () => this.#onMessageDone(),
    onClosed: (link, why) => this.#onClosed(link, why),
  };

  #onWelcome(link: Link): void {
    const { clusterId, nodeId, hasSessions } = link.welcome as Welcome;
    if (clusterId !== null && this.#clusterId !== null && clusterId !== this.#clusterId) {
      const reason = `it belongs to the cluster ${clusterId}, the others to ${this.#clusterId}`;
      return link.close(clientCloseCode.otherCluster, reason.slice(0, 120));
    }
    this.#clusterId ??= clusterId;
    this.#hasSessions = hasSessions;
    this.#settleAttempt();
    this.#servers.onWelcome(link, nodeId);
    this.#servers.heed(link);
    if (this.#isBetter(link)) this.#adopt(link);
    else {
      this.#draining.add(link);
      this.#servers.onNoHelp(link.url);
      link.close(clientCloseCode.normal, 'another server is closer to the leader');
    }
    this.#seek();
  }

  #isBetter(link: Link): boolean {
    const current = this.#current;
    if (current === null || link.leads || current.isOver) return true;
    return current.leaderId === null && link.leaderId !== null;
  }

  #adopt(link: Link): void {
    const former = this.#current;
    this.#current = link;
    this.#leaderlessPulses = 0;
    if (link.leads) this.#servers.tryAllAgain();
    if (former !== null) this.#drain(former);
    this.#tell();
    this.#owner.onCurrent();
  }

  #drain(link: Link): void {
    this.#draining.add(link);
    this.#letAnswer(link);
  }

  /** Lets a server answer what it has; where it has no leader, what can be sent again need not wait for it. */
  #letAnswer(link: Link): void {
    if (link.leaderId === null) {
      this.#owner.onLost(link.takeSent(isRepeatable));
    }
    this.#closeDrained();
  }

  #closeDrained(): void {
    for (const link of [...this.#draining])
      if (link.outstanding === 0) link.close(clientCloseCode.normal, 'the client talks to another server');
  }

  #onStanding(link: Link): void {
    if (link !== this.#current) return this.#letAnswer(link); // One that is left may lose its leader only then.
    this.#servers.heed(link);
    this.#servers.tryAllAgain();
    this.#tell();
    this.#owner.onCurrent();
    this.#seek();
  }

  /**
   * The others may still take it for the leader, and may be no better: it is not asked again until they can know more,
   * or the next pulse. Where a whole cluster stops, a client would go round and round among its servers.
   */
  #onEnded(link: Link): void {
    if (link !== this.#current) return;
    this.#servers.onNoHelp(link.url);
    this.#seek();
  }

  #tell(): void {
    const link = this.#current;
    const nodeId = link?.welcome?.nodeId;
    const next =
      link === null || nodeId === undefined ? null : { url: link.url, nodeId, isLeader: link.leads };
    const last = this.connection$.value;
    if (next?.url !== last?.url || next?.isLeader !== last?.isLeader) this.connection$.next(next);
  }

  #onMessageDone(): void {
    this.#servers.onAnswer();
    if (this.#draining.size > 0) this.#closeDrained();
    this.#owner.onMessageDone();
  }

  #onClosed(link: Link, why: string): void {
    const wasCurrent = link === this.#current;
    if (link === this.#attempt) {
      this.#settleAttempt();
      this.#onFailed(link.url, why);
    } else if (wasCurrent) {
      this.#current = null;
      this.#onFailed(link.url, why);
      this.#tell();
    } else this.#draining.delete(link);
    const lost = link.takeSent(() => true);
    if (lost.length > 0) this.#owner.onLost(lost);
    this.#seek();
  }

  #settleAttempt(): void {
    this.#attempt = null;
    this.#timer?.unsubscribe();
    this.#timer = null;
  }

  #onFailed(url: string, why: string): void {
    this.#servers.onFailed(url, why);
    this.#seek();
  }

  #pulse(): void {
    for (const link of [...this.#open()]) link.pulse();
    const isLeaderless = this.#current !== null && this.#current.leaderId === null;
    this.#leaderlessPulses = isLeaderless ? this.#leaderlessPulses + 1 : 0;
    this.#pulses += 1;
    const isTime = this.#pulses % retryPulses === 0 || this.#leaderlessPulses === leaderlessPulsesMax;
    if (isTime || this.#current?.isOver === true) this.#servers.tryAllAgain();
    this.#owner.onCurrent(); // What a full socket held back may leave now.
    this.#seek();
  }
}
