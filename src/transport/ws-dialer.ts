import type { Subscription } from 'rxjs';
import { WebSocket } from 'ws';
import type { Peer } from '../core/index.ts';
import { otherVersion } from './admission.ts';
import { Backoff } from './backoff.ts';
import { isPiece, type Patience, patienceOf } from './frame-codec.ts';
import { judgeAcceptor } from './handshake.ts';
import { closeCodeOf } from './handshake-codec.ts';
import { encodePeerMessage } from './message-codec.ts';
import { noMask } from './no-mask.ts';
import type { OutgoingMessages } from './outgoing-messages.ts';
import type { HandshakeRefusal, Hello, LinkStatus, MemberAddress, PeerFrame } from './transport.ts';
import { decodeOnNode, type WsHost } from './ws-host.ts';
import { handshakeBytesMax } from './ws-options.ts';
import { Outbox } from './ws-outbox.ts';
import { closeCode, PeerSocket } from './ws-socket.ts';

/**
 * Keeps one outgoing connection to one peer, and sends on it.
 *
 * The handshake: our hello, its hello or a refusal, our `ready` or a refusal. Only we send afterwards.
 */
export class WsDialer {
  readonly address: MemberAddress;
  private readonly host: WsHost;
  private readonly outbox: Outbox;
  private socket: PeerSocket | null = null;
  /** Who answered, once admitted: the connection is open. */
  private hello: Hello | null = null;
  private timer: Subscription | null = null;
  private readonly backoff: Backoff;
  /** The last round of reads that the peer was told of. */
  private round = 0;
  private droppedFrames = 0;
  private hasStopped = false;

  constructor(address: MemberAddress, host: WsHost) {
    this.address = address;
    this.host = host;
    this.outbox = new Outbox(host.limits);
    this.backoff = new Backoff(host.limits, host.random);
    this.dial();
  }

  get isOpen(): boolean {
    return this.hello !== null;
  }

  /** Takes a frame, and tells how long it may wait; `null`: it was dropped. A piece without room is no loss. */
  send(to: Peer, frame: PeerFrame): Patience | null {
    const isThere = this.hello?.storeId === to.storeId;
    const isTaken = isThere && this.outbox.add(frame, this.socket?.bufferedBytes ?? 0);
    if (!isTaken) {
      if (!isPiece(frame)) this.droppedFrames++;
      return null;
    }
    const patience = patienceOf(frame, this.round);
    if (frame.type === 'raft' && frame.message.type === 'appendEntries') this.round = frame.message.round;
    return patience;
  }

  /**
   * Dials now if it is waiting to try again. Without it, a node that came back could hear others and not be
   * answered for up to `backoffMsMax`, and an election in that time would fail for want of replies.
   */
  hurry(): void {
    const isWaiting = this.socket === null && !this.hasStopped && !this.host.isPaused(this.address.id);
    if (!isWaiting) return;
    this.timer?.unsubscribe();
    this.dial();
  }

  /** What was sent leaves. */
  flush(messages: OutgoingMessages): void {
    if (this.socket !== null) this.outbox.flush(this.socket, messages);
  }

  status(): Pick<LinkStatus, 'rttMs' | 'bufferedBytes' | 'droppedFrames'> {
    const bufferedBytes = this.outbox.bufferedBytes + (this.socket?.bufferedBytes ?? 0);
    return { rttMs: this.socket?.rttMs ?? null, bufferedBytes, droppedFrames: this.droppedFrames };
  }

  /** Closes the connection, to be dialed again after a while. */
  hangUp(code: number, reason: string): void {
    this.socket?.close(code, reason);
  }

  /** Closes the connection for good. */
  stop(reason: string): void {
    this.hasStopped = true;
    this.timer?.unsubscribe();
    this.socket?.close(closeCode.goingAway, reason);
  }

  private dial(): void {
    const { limits, scheduler } = this.host;
    const webSocket = new WebSocket(this.address.url, {
      perMessageDeflate: false,
      allowSynchronousEvents: true,
      maxPayload: handshakeBytesMax, // Whom we dial sends its part of the handshake and nothing else.
      skipUTF8Validation: true,
      generateMask: noMask,
    });
    const owner = {
      onMessage: (bytes: Uint8Array) => this.onMessage(bytes),
      onClosed: (violation: string | null) => this.onClosed(violation),
      onGone: () => this.host.unwatch(socket),
    };
    const socket = new PeerSocket(webSocket, { limits, scheduler, owner });
    this.socket = socket;
    this.host.watch(socket);
    webSocket.once('upgrade', (response) => socket.connected(response.socket));
    webSocket.once('open', () => {
      socket.send(encodePeerMessage({ type: 'hello', hello: this.host.identity.hello() }));
    });
    this.timer = scheduler.schedule(() => socket.terminate(), limits.handshakeTimeoutMs);
  }

  private onMessage(bytes: Uint8Array): void {
    const message = decodeOnNode(bytes);
    if (message.type === 'error') return this.breakOff(message.detail);
    if (this.isOpen) return this.breakOff(`a ${message.type} message arrived on a connection that we dialed`);
    switch (message.type) {
      case 'hello':
        return this.onHello(message.hello);
      case 'otherVersion':
        return this.refuse(otherVersion(this.host.identity.hello(), message.protocolVersion));
      case 'refusal':
        this.host.emit({ type: 'refused', by: 'peer', id: this.address.id, refusal: message.refusal });
        return this.socket?.close(closeCode.normal, 'refused');
      default:
        return this.breakOff(`a ${message.type} message arrived in answer to our hello`);
    }
  }

  private onHello(hello: Hello): void {
    const { id, url } = this.address;
    const refusal = judgeAcceptor(this.host.identity, { hello, dialed: id, url });
    if (refusal !== null) return this.refuse(refusal);
    this.timer?.unsubscribe();
    this.socket?.send(encodePeerMessage({ type: 'ready' }));
    this.socket?.ping(); // Who turns us away after the handshake does not answer it.
    this.hello = hello;
    this.host.emit({ type: 'up', hello, direction: 'outgoing' });
  }

  private refuse(refusal: HandshakeRefusal): void {
    this.host.emit({ type: 'refused', by: 'us', id: this.address.id, refusal });
    this.socket?.send(encodePeerMessage({ type: 'refusal', refusal }));
    this.socket?.close(closeCodeOf(refusal), refusal.code);
  }

  private breakOff(detail: string): void {
    this.host.onViolation(this.address.id, detail);
    this.socket?.close(closeCode.protocolError, detail);
  }

  private onClosed(violation: string | null): void {
    const wasOpen = this.isOpen;
    const hasLived = wasOpen && this.socket?.hasAnswered === true;
    this.socket = null;
    this.timer?.unsubscribe();
    this.droppedFrames += this.outbox.clear();
    this.hello = null;
    this.round = 0; // What it was told may be lost.
    if (violation !== null) this.host.onViolation(this.address.id, violation);
    this.dialAgain({ hasLived });
    if (!wasOpen) return;
    this.host.emit({ type: 'outgoingDown', id: this.address.id });
    this.host.emitIfDown(this.address.id);
  }

  private dialAgain({ hasLived }: { hasLived: boolean }): void {
    if (this.hasStopped) return;
    const { limits, scheduler, clock } = this.host;
    const waitMs = this.backoff.waitMs({ hasLived, nowMs: clock() });
    const isPaused = this.host.isPaused(this.address.id);
    this.timer = scheduler.schedule(() => this.dial(), isPaused ? limits.backoffMsMax : waitMs);
  }
}
