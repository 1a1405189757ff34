import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { NodeId, Peer } from '../core/index.ts';
import { otherVersion } from './admission.ts';
import { judgeDialer } from './handshake.ts';
import { closeCodeOf } from './handshake-codec.ts';
import { encodePeerMessage } from './message-codec.ts';
import type { HandshakeRefusal, Hello, PeerFrame } from './transport.ts';
import type { WsAcceptor } from './ws-acceptor.ts';
import { decodeOnNode, type WsHost } from './ws-host.ts';
import { closeCode, PeerSocket } from './ws-socket.ts';

/** How far the handshake is: the dialer's hello is awaited, then its `ready`; then frames arrive. */
type Phase = 'hello' | 'ready' | 'admitted';

/** A connection that a peer dialed. It sends, we receive. */
export class WsIncoming {
  private readonly host: WsHost;
  private readonly acceptor: WsAcceptor;
  private readonly tcp: Socket;
  private readonly socket: PeerSocket;
  private phase: Phase = 'hello';
  private introduction: Hello | null = null;
  private from: Peer | null = null;

  constructor(ends: { webSocket: WebSocket; tcp: Socket; host: WsHost; acceptor: WsAcceptor }) {
    const { webSocket, tcp, host, acceptor } = ends;
    this.host = host;
    this.acceptor = acceptor;
    this.tcp = tcp;
    const owner = {
      onMessage: (bytes: Uint8Array) => this.onMessage(bytes),
      onClosed: (violation: string | null) => this.onClosed(violation),
      onGone: () => host.unwatch(this.socket),
    };
    this.socket = new PeerSocket(webSocket, { limits: host.limits, scheduler: host.scheduler, owner });
    this.socket.connected(tcp);
    host.watch(this.socket);
  }

  /** How the peer introduced itself. Only asked of a connection that was admitted. */
  get hello(): Hello {
    return this.introduction as Hello;
  }

  /** Who the peer says it is; `null` before its hello. */
  get claimedId(): NodeId | null {
    return this.introduction?.id ?? null;
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  private onMessage(bytes: Uint8Array): void {
    const message = decodeOnNode(bytes);
    if (message.type === 'error')
      return this.breakOff(`byte ${message.offset}: ${message.kind}, ${message.detail}`);
    if (message.type === 'frames' && this.phase === 'admitted') return this.onFrames(message.frames);
    if (message.type === 'hello' && this.phase === 'hello') return this.onHello(message.hello);
    if (message.type === 'ready' && this.phase === 'ready') return this.onReady();
    if (message.type === 'otherVersion' && this.phase === 'hello') {
      return this.refuse(otherVersion(this.host.identity.hello(), message.protocolVersion));
    }
    if (message.type === 'refusal' && this.phase === 'ready') return this.onRefusal(message.refusal);
    return this.breakOff(`a ${message.type} message arrived out of turn`);
  }

  private onFrames(frames: readonly PeerFrame[]): void {
    const { bootCounter } = this.hello;
    for (const frame of frames) {
      if (this.socket.isClosed) return; // Hung up on from inside an event.
      this.host.emit({ type: 'frame', from: this.from as Peer, bootCounter, frame });
    }
  }

  private onHello(hello: Hello): void {
    if (this.host.isPaused(hello.id)) {
      return this.socket.close(closeCode.tryLater, 'hung up on a moment ago; try again later');
    }
    this.introduction = hello;
    this.from = { id: hello.id, storeId: hello.storeId };
    const { identity } = this.host;
    const refusal = judgeDialer(identity, hello);
    if (refusal !== null) return this.refuse(refusal);
    this.phase = 'ready';
    this.socket.send(encodePeerMessage({ type: 'hello', hello: identity.hello() }));
  }

  private onReady(): void {
    this.phase = 'admitted';
    this.acceptor.admit(this, this.tcp);
  }

  private onRefusal(refusal: HandshakeRefusal): void {
    this.host.emit({ type: 'refused', by: 'peer', id: this.hello.id, refusal });
    this.socket.close(closeCode.normal, 'refused');
  }

  private refuse(refusal: HandshakeRefusal): void {
    this.host.emit({ type: 'refused', by: 'us', id: this.introduction?.id ?? null, refusal });
    this.socket.send(encodePeerMessage({ type: 'refusal', refusal }));
    this.socket.close(closeCodeOf(refusal), refusal.code);
  }

  /** Nothing of a message that is malformed reaches the core; its connection goes. */
  private breakOff(detail: string): void {
    this.host.onViolation(this.admittedId(), detail);
    this.socket.close(closeCode.protocolError, detail);
  }

  private onClosed(violation: string | null): void {
    if (violation !== null) this.host.onViolation(this.admittedId(), violation);
    this.acceptor.leave(this);
  }

  /** Before it is admitted, a peer is not taken by its word: no stranger gets a node turned away. */
  private admittedId(): NodeId | null {
    return this.phase === 'admitted' ? this.hello.id : null;
  }
}
