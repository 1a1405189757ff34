import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { interval, type Subscription } from 'rxjs';
import { WebSocketServer } from 'ws';
import {
  clientProtocolVersion,
  type ReadFrame,
  type StandingFrame,
  type Welcome,
  type WriteFrame,
} from './client/protocol.ts';
import { readsMin } from './client-backlog.ts';
import { ClientConnection, type ClientHost } from './client-connection.ts';
import {
  type ClientEndpointLimits,
  type ClientEndpointOptions,
  type EndpointSettings,
  endpointSettings,
  type UpgradeRefusal,
} from './client-endpoint-options.ts';
import { type Answering, ClientWork } from './client-work.ts';
import { isPeerUrl } from './member-rules.ts';
import { asksForWebSocket, servePlainly } from './plain-request.ts';
import { closeCode } from './ws-socket.ts';

/** Where clients of `rxraft/client` reach a node. */
export interface ClientEndpoint {
  /**
   * Takes the WebSockets of a server at this path, `/client` if none is given. If it is the only one that listens for
   * upgrades, WebSockets at other paths are answered with 404. What asks for another protocol than WebSockets, as
   * clients do that would rather speak `h2c`, goes back to the server, which answers it as a request without `Upgrade`:
   * the server emits `connection` once more for its socket.
   */
  attach(server: Server, path?: string): void;
  /** Takes one upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Connections that are open. */
  readonly connections: number;
  /** Requests without an answer. */
  readonly requests: number;
  /**
   * Takes no more requests, tells clients so, and closes the connections once each client has heard it and all requests
   * are answered, those too that were on their way: they are refused. Who does not close it in time is cut off. Resolves
   * when all are gone. Comes before the node's own `close`, or together with it. Called again, it gives the same promise.
   */
  close(): Promise<void>;
}

/** Milliseconds after which a client whose message is still arriving is told so: it gives up after four seconds. */
const assureMs = 1_000;

/**
 * A WebSocket endpoint for `rxraft/client`, which belongs to a node and shares an HTTP server.
 *
 * What one message asks to write goes to the node with one call, and the answers of one event-loop turn leave in one
 * message. Everything has a limit: connections, requests in number and bytes, and answers that nobody reads.
 *
 * ```ts
 * const endpoint = clientEndpoint({ node, command, result, query, answer, hasSessions: true });
 * endpoint.attach(server);
 * ```
 */
export function clientEndpoint<Command, Result, Query, Answer>(
  options: ClientEndpointOptions<Command, Result, Query, Answer>,
): ClientEndpoint {
  return new WsClientEndpoint(endpointSettings(options));
}

class WsClientEndpoint<Command, Result, Query, Answer> implements ClientEndpoint, ClientHost {
  readonly limits: ClientEndpointLimits;
  readonly group: number;
  isClosing = false;
  requests = 0;
  answerBytes: number;
  #requestBytes = 0;
  readonly #settings: EndpointSettings<Command, Result, Query, Answer>;
  readonly #work: ClientWork<Command, Result, Query, Answer>;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<ClientConnection>();
  readonly #toFlush = new Set<ClientConnection>();
  readonly #subscriptions: Subscription[] = [];
  #leaderId: string | null = null;
  #closing: Promise<void> | null = null;
  #whenIdle: () => void = () => undefined;
  #whenGone: () => void = () => undefined;

  constructor(settings: EndpointSettings<Command, Result, Query, Answer>) {
    this.limits = settings.limits;
    this.answerBytes = settings.limits.bufferedBytesMax / readsMin;
    this.group = settings.group;
    this.#settings = settings;
    this.#work = new ClientWork(settings);
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      allowSynchronousEvents: true,
      maxPayload: settings.limits.frameBytesMax,
      skipUTF8Validation: true,
    });
    this.#subscriptions.push(
      settings.node.leader$.subscribe({
        next: (leaderId) => this.#onLeader(leaderId),
        complete: () => this.#stopTaking(), // The node has stopped: whoever asks it is better off elsewhere.
      }),
      interval(settings.limits.pingMs).subscribe(() => this.#pulse()),
      interval(Math.min(settings.limits.pingMs, assureMs)).subscribe(() => this.#assure()),
    );
  }

  get connections(): number {
    return this.#connections.size;
  }

  attach(server: Server, path = '/client'): void {
    server.on('upgrade', (request, socket, head) => {
      const isHere = request.url === path || request.url?.startsWith(`${path}?`) === true;
      const isWebSocket = asksForWebSocket(request);
      if (isHere && isWebSocket) return this.upgrade(request, socket, head);
      if (!isHere && server.listenerCount('upgrade') > 1) return; // One for somebody else.
      if (isWebSocket) return refuse(socket, { status: 404, reason: `clients connect to ${path}` });
      if (!servePlainly(server, { request, socket, head }))
        refuse(socket, { status: 431, reason: 'this request has more headers than the server keeps' });
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusalOf(request);
    if (refusal !== null) return refuse(socket, refusal);
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new ClientConnection({ webSocket, tcp: socket }, this);
      this.#connections.add(connection);
      const timer = setTimeout(() => {
        if (!connection.hasHello) connection.terminate();
      }, this.limits.handshakeTimeoutMs);
      webSocket.once('close', () => clearTimeout(timer));
    });
  }

  #refusalOf(request: IncomingMessage): UpgradeRefusal | null {
    if (this.isClosing) return { status: 503, reason: 'this node is closing' };
    const { connectionsMax } = this.limits;
    if (this.#connections.size >= connectionsMax)
      return { status: 503, reason: `${connectionsMax} clients are connected, and no more may be` };
    return this.#admissionRefusal(request);
  }

  /** What the application says. Who could not be looked at is not let in. */
  #admissionRefusal(request: IncomingMessage): UpgradeRefusal | null {
    try {
      const refusal = this.#settings.admit(request);
      if (refusal === null || Number.isInteger(refusal?.status)) return refusal;
      throw new TypeError(`admit gave ${typeof refusal}, expected null, or a status and a reason`);
    } catch (err) {
      this.#settings.logger.error({ err }, 'a client was not let in, since admit failed');
      return {
        status: 500,
        reason: "whether you may connect could not be found out; the server's log says why",
      };
    }
  }

  welcome(): Welcome {
    const { node, hasSessions, group } = this.#settings;
    const { leaderId, leaderUrl } = this.#standing();
    return {
      protocolVersion: clientProtocolVersion,
      group,
      nodeId: node.id,
      clusterId: node.status().clusterId,
      leaderId,
      leaderUrl,
      hasSessions,
      frameBytesMax: this.limits.frameBytesMax,
      requestsMax: this.limits.requestsMax,
    };
  }

  take(count: number, bytes: number): string | null {
    const { allRequestsMax, allRequestBytesMax } = this.limits;
    if (this.requests + count > allRequestsMax)
      return `${this.requests} requests of all clients wait for their answer and ${count} more came, the limit is ${allRequestsMax}.`;
    if (this.requests > 0 && this.#requestBytes + bytes > allRequestBytesMax)
      return `${this.#requestBytes} bytes of requests wait for their answer and ${bytes} more came, the limit is ${allRequestBytesMax}.`;
    this.requests += count;
    this.#requestBytes += bytes;
    return null;
  }

  release(count: number, bytes: number): void {
    this.requests -= count;
    this.#requestBytes -= bytes;
    if (this.requests === 0) this.#whenIdle();
  }

  write(frame: WriteFrame, to: Answering): void {
    this.#work.write(frame, to);
  }

  read(id: number, query: Uint8Array, frame: ReadFrame, to: Answering): void {
    this.#work.read(id, query, frame, to);
  }

  flushSoon(connection: ClientConnection): void {
    if (this.#toFlush.size === 0) setImmediate(this.#flush);
    this.#toFlush.add(connection);
  }

  readonly #flush = (): void => {
    const connections = [...this.#toFlush];
    this.#toFlush.clear();
    for (const connection of connections) connection.flush();
  };

  onGone(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenGone();
  }

  #standing(): StandingFrame {
    const leaderId = this.#leaderId;
    const leaderUrl = leaderId === null ? null : this.#urlOf(leaderId);
    return { type: 'standing', isClosing: this.isClosing, leaderId, leaderUrl };
  }

  /** A client would hang up on whoever tells it what is no URL. */
  #urlOf(leaderId: string): string | null {
    try {
      const url: unknown = this.#settings.clientUrlOf(leaderId) ?? null;
      if (url === null || isPeerUrl(url)) return url as string | null;
      throw new TypeError(`clientUrlOf gave ${String(url)}, expected null or a URL of ws: or wss:`);
    } catch (err) {
      this.#settings.logger.error({ err, leaderId }, 'clients are not told where the leader is');
      return null;
    }
  }

  #onLeader(leaderId: string | null): void {
    this.#leaderId = leaderId;
    this.#work.hasLeader = leaderId !== null;
    const frame = this.#standing();
    for (const connection of this.#connections) connection.stand(frame);
  }

  #pulse(): void {
    for (const connection of [...this.#connections]) connection.pulse();
  }

  #assure(): void {
    for (const connection of this.#connections) connection.assure();
  }

  /** Takes no more requests, and says so. */
  #stopTaking(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.#onLeader(this.#leaderId);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopTaking();
    const { closeTimeoutMs } = this.limits;
    await within(closeTimeoutMs, this.#allAnswered());
    this.#flush();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const connection of this.#connections) connection.close(closeCode.goingAway, 'this node is closing');
    const gone = new Promise<void>((resolve) => {
      this.#whenGone = resolve;
    });
    if (this.#connections.size > 0) await within(closeTimeoutMs, gone);
    if (this.#connections.size === 0) return;
    for (const connection of [...this.#connections]) connection.terminate();
    await gone; // A socket that is destroyed closes by itself, soon.
  }

  /** Resolves once nothing is under way any more: a request that crossed the news on its way would be lost unread. */
  async #allAnswered(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.caughtUp()));
    if (this.requests === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }
}

/** Waits for it, and not longer than so many milliseconds. */
async function within(timeoutMs: number, done: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}

const statusTexts: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  404: 'Not Found',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Answers an upgrade over plain HTTP. */
function refuse(socket: Duplex, { status, reason }: UpgradeRefusal): void {
  const body = `${reason}\n`;
  const head = [
    `HTTP/1.1 ${status} ${statusTexts[status] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy()); // The other end may never close its side.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
