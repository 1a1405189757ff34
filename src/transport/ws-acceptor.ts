import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Subscription } from 'rxjs';
import { type WebSocket, WebSocketServer } from 'ws';
import type { NodeId } from '../core/index.ts';
import { TransportError } from './errors.ts';
import { Incoming } from './incoming.ts';
import type { WsHost } from './ws-host.ts';
import { WsIncoming } from './ws-incoming.ts';
import { handshakeBytesMax } from './ws-options.ts';

/**
 * Listens, and keeps one incoming connection a peer: a newer one takes the place of the older. Two stores under one name
 * are two peers, so that one that was replaced and still runs does not cut off the other.
 *
 * Who has not been admitted costs little: such connections are limited in number, time and bytes, from the
 * first TCP packet on.
 */
export class WsAcceptor {
  private readonly host: WsHost;
  private readonly server: Server;
  private readonly webSockets: WebSocketServer;
  /** Connections whose handshake is not done, and the timers that end them. */
  private readonly pending = new Map<Socket, Subscription>();
  private readonly handshakes = new Set<WsIncoming>();
  private readonly admitted = new Incoming<WsIncoming>();

  constructor(host: WsHost) {
    this.host = host;
    this.webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      allowSynchronousEvents: true,
      maxPayload: host.limits.frameBytesMax,
      skipUTF8Validation: true,
    });
    this.server = createServer({ maxHeaderSize: 8_192 }, answerPlainHttp);
    this.server.on('connection', (tcp) => this.onConnection(tcp));
    this.server.on('upgrade', (request, tcp, head) => this.onUpgrade(request, tcp, head));
  }

  /** Begins to listen. Rejects with a `TransportError`. */
  listen({ host, port }: { host: string; port: number }): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.server.once('error', (error) => reject(listenError(error, { host, port })));
      this.server.listen({ host, port }, () => {
        this.server.removeAllListeners('error');
        // A connection that could not be accepted, for lack of file descriptors say: its dialer tries again.
        this.server.on('error', () => undefined);
        resolve(this.server.address() as AddressInfo);
      });
    });
  }

  isOpenTo(id: NodeId): boolean {
    return this.admitted.of(id).length > 0;
  }

  hangUp(id: NodeId, { code, reason }: { code: number; reason: string }): void {
    for (const incoming of this.admitted.of(id)) incoming.close(code, reason);
    for (const incoming of [...this.handshakes]) if (incoming.claimedId === id) incoming.close(code, reason);
  }

  /** Stops listening, and closes what is open; resolves when the last connection is gone. */
  stop({ code, reason }: { code: number; reason: string }): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const incoming of this.admitted.all()) incoming.close(code, reason);
    for (const tcp of [...this.pending.keys()]) tcp.destroy();
    return stopped;
  }

  /** The connection finished its handshake. */
  admit(incoming: WsIncoming, tcp: Socket): void {
    this.settle(tcp);
    this.handshakes.delete(incoming);
    const older = this.admitted.add(incoming.hello, incoming);
    this.host.emit({ type: 'up', hello: incoming.hello, direction: 'incoming' });
    for (const one of older) one.close(1000, 'replaced by a newer connection of the same node');
    this.host.onDialedBy(incoming.hello.id);
  }

  /** The connection closed. */
  leave(incoming: WsIncoming): void {
    if (this.handshakes.delete(incoming)) return;
    const { hello } = incoming;
    const removed = this.admitted.remove(hello, incoming);
    if (removed === undefined) return; // Replaced by a newer one.
    const { meant } = removed;
    if (meant !== undefined) this.host.emit({ type: 'up', hello: meant.hello, direction: 'incoming' });
    this.host.emitIfDown(hello.id);
  }

  private onConnection(tcp: Socket): void {
    tcp.on('error', () => tcp.destroy());
    const { pendingConnectionsMax, handshakeTimeoutMs } = this.host.limits;
    if (this.pending.size >= pendingConnectionsMax) {
      tcp.destroy();
      return;
    }
    this.pending.set(
      tcp,
      this.host.scheduler.schedule(() => tcp.destroy(), handshakeTimeoutMs),
    );
    tcp.once('close', () => this.settle(tcp));
  }

  private settle(tcp: Socket): void {
    this.pending.get(tcp)?.unsubscribe();
    this.pending.delete(tcp);
  }

  private onUpgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    if (request.headers.origin !== undefined) {
      // Browsers say where a script comes from; no web page may dial the nodes on its reader's machine.
      duplex.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const tcp = duplex as Socket;
    this.webSockets.handleUpgrade(request, tcp, head, (webSocket) => this.onWebSocket(webSocket, tcp));
  }

  private onWebSocket(webSocket: WebSocket, tcp: Socket): void {
    this.handshakes.add(new WsIncoming({ webSocket, tcp, host: this.host, acceptor: this }));
    let received = 0;
    tcp.on('data', (chunk) => {
      if (!this.pending.has(tcp)) return;
      received += chunk.byteLength;
      if (received > handshakeBytesMax) tcp.destroy();
    });
  }
}

function answerPlainHttp(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
  response.end('Nodes of rxraft talk to each other here, over WebSockets. Clients use another port.\n');
}

function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: { host: string; port: number },
): TransportError {
  if (error.code === 'EADDRINUSE') {
    return new TransportError(
      'RAFT_PORT_IN_USE',
      `port ${port} on ${host} is taken by another process, perhaps an earlier run of this node. No data were changed, though a store that is new and empty may be there now. Stop that process, or listen on another port`,
      { cause: error },
    );
  }
  return new TransportError(
    'RAFT_LISTEN_FAILED',
    `listening on ${host} port ${port} failed: ${error.message}. No data were changed, though a store that is new and empty may be there now. Check that the address belongs to this machine and that the port is allowed`,
    { cause: error },
  );
}
