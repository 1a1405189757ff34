import type { Peer } from 'rxraft';
import {
  type HandshakeRefusal,
  type Hello,
  isPiece,
  type LinkStatus,
  type MemberAddress,
  otherVersion,
  type PeerFrame,
  protocolVersion,
} from 'rxraft/transport';
import { FrameOutbox } from './frame-outbox.ts';
import { type LinkBody, randomId } from './link-body.ts';
import { fromText, type LinkHost, toText } from './link-host.ts';
import { ResendWindow } from './resend-window.ts';

/** An attempt to connect, and what became of it. */
interface Attempt {
  readonly link: string;
  readonly data: string;
  readonly startedMs: number;
  saidMs: number;
  /** Who answered, once admitted: the link is open. */
  hello: Hello | null;
  token: string;
  heardMs: number;
  askedMs: number;
  hasLived: boolean;
  readonly window: ResendWindow;
}

/**
 * Keeps one link to one peer, and sends on it: in order, again until it is acknowledged, and never after the
 * link has closed. So a frame arrives once or never, and `outgoingDown` says when to stop hoping.
 */
export class OutgoingLink {
  readonly address: MemberAddress;
  readonly #name: string;
  readonly #host: LinkHost;
  readonly #outbox: FrameOutbox;
  #attempt: Attempt | null = null;
  #dialAtMs: number;
  #failures = 0;
  #droppedFrames = 0;
  #rttMs: number | null = null;

  constructor(address: MemberAddress, name: string, host: LinkHost) {
    this.address = address;
    this.#name = name;
    this.#host = host;
    this.#outbox = new FrameOutbox(host.limits);
    this.#dialAtMs = host.now();
  }

  get isOpen(): boolean {
    return (this.#attempt?.hello ?? null) !== null;
  }

  /** Takes a frame for the end of this turn, or drops it. A piece without room is no loss. */
  send(to: Peer, frame: PeerFrame): boolean {
    const attempt = this.#attempt;
    const isThere = attempt !== null && attempt.hello?.storeId === to.storeId;
    const isTaken = isThere && this.#outbox.add(frame, attempt.window);
    if (isTaken) this.#host.flushSoon(this);
    else if (!isPiece(frame)) this.#droppedFrames += 1;
    return isTaken;
  }

  /** The end of the turn: what was sent leaves. */
  flush(): void {
    const attempt = this.#attempt;
    if (attempt === null) return; // Closed within the turn: all was dropped.
    const { link, token, window } = attempt;
    for (const { frames, bytes } of this.#outbox.take()) {
      const data = toText({ type: 'frames', frames });
      const seq = window.add(data, bytes, this.#host.now());
      this.#host.post(this.#name, { type: 'rxraft_frames', link, token, seq, data });
    }
  }

  status(): Omit<LinkStatus, 'isIncomingOpen'> {
    return {
      ...this.address,
      isOutgoingOpen: this.isOpen,
      rttMs: this.#rttMs,
      bufferedBytes: this.#outbox.bytes + (this.#attempt?.window.bytes ?? 0),
      droppedFrames: this.#droppedFrames,
    };
  }

  /** What is due: an attempt, the hello or the messages once more, a question, or the end. */
  pulse(now: number): void {
    const attempt = this.#attempt;
    if (attempt === null) {
      if (now >= this.#dialAtMs && !this.#host.isPaused(this.address.id)) this.#dial(now);
    } else if (attempt.hello === null) this.#awaitWelcome(attempt, now);
    else this.#keep(attempt, now);
  }

  /** The peer has just dialed us: it is there, so that waiting to try again is a waste. */
  hurry(): void {
    if (this.#attempt === null) this.#dialAtMs = this.#host.now();
    else if (this.#attempt.hello === null) this.#sayHello(this.#attempt, this.#host.now());
  }

  #dial(now: number): void {
    this.#attempt = {
      link: randomId(),
      data: toText({ type: 'hello', hello: this.#host.identity.hello() }),
      startedMs: now,
      saidMs: now,
      hello: null,
      token: '',
      heardMs: now,
      askedMs: now,
      hasLived: false,
      window: new ResendWindow(this.#host.limits),
    };
    this.#sayHello(this.#attempt, now);
  }

  #sayHello(attempt: Attempt, now: number): void {
    attempt.saidMs = now;
    this.#host.post(this.#name, { type: 'rxraft_hello', link: attempt.link, data: attempt.data });
  }

  #awaitWelcome(attempt: Attempt, now: number): void {
    const { handshakeMsMax, helloMs } = this.#host.limits;
    if (now - attempt.startedMs >= handshakeMsMax) this.#giveUp(null);
    else if (now - attempt.saidMs >= helloMs) this.#sayHello(attempt, now);
  }

  #keep(attempt: Attempt, now: number): void {
    const { silenceMsMax, pingMs } = this.#host.limits;
    if (now - attempt.heardMs >= silenceMsMax) return this.close();
    const { link, token, window } = attempt;
    for (const { seq, data } of window.takeDue(now))
      this.#host.post(this.#name, { type: 'rxraft_frames', link, token, seq, data });
    if (now - attempt.askedMs < pingMs) return;
    attempt.askedMs = now;
    this.#host.post(this.#name, { type: 'rxraft_frames', link, token, seq: window.lastSeq, data: null });
  }

  /** Something about a link came from the node at the other end. What is about another link is too late. */
  receive(body: Exclude<LinkBody, { readonly type: 'rxraft_hello' | 'rxraft_frames' }>): void {
    const attempt = this.#attempt;
    if (attempt === null || attempt.link !== body.link) return;
    if (body.type === 'rxraft_end') return this.#giveUp(null);
    if (body.type === 'rxraft_welcome') return this.#onWelcome(attempt, body);
    if (attempt.hello === null) return;
    attempt.heardMs = this.#host.now();
    attempt.hasLived = true;
    attempt.window.acknowledge(body.seq, attempt.heardMs);
    this.#rttMs = attempt.window.rttMs ?? this.#rttMs;
  }

  #onWelcome(attempt: Attempt, { token, data }: Extract<LinkBody, { type: 'rxraft_welcome' }>): void {
    if (attempt.hello !== null) return; // Doubled.
    const message = fromText(data);
    switch (message.type) {
      case 'hello':
        return this.#onHello(attempt, { token, hello: message.hello });
      case 'otherVersion':
        return this.#refuse(otherVersion(this.#host.identity.hello(), message.protocolVersion));
      case 'refusal':
        this.#giveUp(null);
        return this.#host.emit({
          type: 'refused',
          by: 'peer',
          id: this.address.id,
          refusal: message.refusal,
        });
      default:
        this.#giveUp(null);
        return this.#host.onViolation(this.address.id, `a ${message.type} came in answer to our hello`);
    }
  }

  #onHello(attempt: Attempt, { token, hello }: { token: string; hello: Hello }): void {
    const refusal = this.#judge(hello);
    if (this.#attempt !== attempt) return; // Hung up on from inside the judgement.
    if (refusal !== null) return this.#refuse(refusal);
    const now = this.#host.now();
    attempt.token = token;
    attempt.hello = hello;
    attempt.heardMs = now;
    attempt.askedMs = now;
    const { link } = attempt;
    this.#host.post(this.#name, { type: 'rxraft_frames', link, token, seq: 0, data: null });
    this.#host.emit({ type: 'up', hello, direction: 'outgoing' });
  }

  #judge(hello: Hello): HandshakeRefusal | null {
    const { identity } = this.#host;
    const { id, url } = this.address;
    if (hello.protocolVersion !== protocolVersion)
      return otherVersion(identity.hello(), hello.protocolVersion);
    if (hello.id === id) return identity.admit(hello, url);
    const reason = `${url} is listed as the address of ${id}, but ${hello.id} answered; correct the address in the list of members`;
    return { code: 'notTheNodeDialed', reason };
  }

  #refuse(refusal: HandshakeRefusal): void {
    this.#giveUp(toText({ type: 'refusal', refusal }));
    this.#host.emit({ type: 'refused', by: 'us', id: this.address.id, refusal });
  }

  /** Closes the link, and dials again after a while. */
  close(): void {
    if (this.#attempt !== null) this.#giveUp(null);
  }

  /** Ends this attempt, and tells the other end, which may not know. */
  #giveUp(data: string | null): void {
    const { link, hello, hasLived } = this.#attempt as Attempt;
    this.#attempt = null;
    this.#droppedFrames += this.#outbox.clear();
    this.#failures = hasLived ? 1 : this.#failures + 1;
    this.#dialAtMs = this.#host.now() + this.#backoffMs();
    this.#host.post(this.#name, { type: 'rxraft_end', link, data });
    if (hello === null) return;
    this.#host.emit({ type: 'outgoingDown', id: this.address.id });
    this.#host.emitIfDown(this.address.id);
  }

  /** None after a link that worked, so that one that was cut is back at once; then doubling, with jitter. */
  #backoffMs(): number {
    if (this.#failures < 2) return 0;
    const { backoffMsMin, backoffMsMax } = this.#host.limits;
    const wholeMs = Math.min(backoffMsMax, backoffMsMin * 2 ** Math.min(this.#failures - 2, 30));
    return wholeMs * (1 - Math.random() / 2);
  }
}
