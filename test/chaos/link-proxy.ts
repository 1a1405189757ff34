import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { decodePeerMessage } from '../../src/transport/message-codec.ts';
import { LinkLane } from './link-lane.ts';
import type { Forecast } from './link-weather.ts';

/** Where a proxy listens, and what is behind it. */
export interface LinkProxyOptions {
  /** The place of the node behind it. */
  readonly place: number;
  readonly host: string;
  readonly port: number;
  readonly target: string;
  readonly forecast: Forecast;
  /** The place of the node with this name; -1 if it has none. */
  readonly placeOf: (nodeId: string) => number;
  readonly below: (bound: number) => number;
}

/** Messages of any size pass as they are, pings and pongs too: both ends measure each other, not the proxy. */
const tunnel = {
  perMessageDeflate: false,
  skipUTF8Validation: true,
  maxPayload: 0,
  autoPong: false,
} as const;

/**
 * Stands in front of one node and passes WebSocket messages on, whole, as the weather on the link allows. Who dials
 * it is told from the dialer's hello, so each pair of nodes has a link of its own in each direction.
 */
export class LinkProxy {
  readonly #options: LinkProxyOptions;
  readonly #server: Server = createServer();
  readonly #links = new Set<Link>();

  constructor(options: LinkProxyOptions) {
    this.#options = options;
    const acceptor = new WebSocketServer({ server: this.#server, clientTracking: false, ...tunnel });
    acceptor.on('connection', (near) => {
      const link = new Link(near, options, () => this.#links.delete(link));
      this.#links.add(link);
    });
    options.forecast.onClearing(() => {
      for (const link of [...this.#links]) link.sweep();
    });
  }

  async open(): Promise<void> {
    const { host, port } = this.#options;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
  }

  /** Breaks every connection to the node. */
  cut(): void {
    for (const link of [...this.#links]) link.cut();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

/** One connection through the proxy. */
class Link {
  readonly #near: WebSocket;
  readonly #far: WebSocket;
  readonly #onGone: () => void;
  readonly #there: LinkLane;
  readonly #back: LinkLane;
  #dialer = -1;
  /** One end has gone, and the weather kept it from the other one. */
  #isHalf = false;

  constructor(near: WebSocket, options: LinkProxyOptions, onGone: () => void) {
    const { place, target, forecast, below } = options;
    this.#near = near;
    this.#far = new WebSocket(target, tunnel);
    this.#onGone = onGone;
    this.#there = new LinkLane({ weather: () => forecast.at(this.#dialer, place), below });
    this.#back = new LinkLane({ weather: () => forecast.at(place, this.#dialer), below });
    near.once('message', (bytes: Buffer) => this.#meet(bytes, options));
    join(near, this.#far, this.#there, (isTold) => this.#onEnd(isTold));
    join(this.#far, near, this.#back, (isTold) => this.#onEnd(isTold));
    this.#back.open();
    this.#far.once('open', () => this.#there.open());
  }

  cut(): void {
    this.#there.end();
    this.#back.end();
    this.#near.terminate();
    this.#far.terminate();
    this.#onGone();
  }

  /** The weather has changed: a connection with one end would otherwise last for ever. */
  sweep(): void {
    if (this.#isHalf) this.cut();
  }

  #meet(bytes: Buffer, { placeOf }: LinkProxyOptions): void {
    const message = decodePeerMessage(new Uint8Array(bytes));
    if (message.type === 'hello') this.#dialer = placeOf(message.hello.id);
  }

  #onEnd(isTold: boolean): void {
    const { CLOSED } = WebSocket;
    if (isTold) {
      if (this.#near.readyState === CLOSED && this.#far.readyState === CLOSED) this.#onGone();
    } else this.#isHalf = true;
  }
}

/** Passes on what one end says to the other. */
function join(from: WebSocket, to: WebSocket, lane: LinkLane, onEnd: (isTold: boolean) => void): void {
  const whenOpen = (work: () => void) => () => {
    if (to.readyState === WebSocket.OPEN) work();
  };
  let isGreeting = true; // What rain takes of a handshake is no more than a slow start.
  from.on('message', (data, isBinary) => {
    lane.pass(
      whenOpen(() => to.send(data as Buffer, { binary: isBinary })),
      { canDrop: !isGreeting },
    );
    isGreeting = false;
  });
  from.on('ping', (data) =>
    lane.pass(
      whenOpen(() => to.ping(data)),
      { canDrop: false },
    ),
  );
  from.on('pong', (data) =>
    lane.pass(
      whenOpen(() => to.pong(data)),
      { canDrop: false },
    ),
  );
  from.on('error', () => undefined); // Followed by `close`.
  from.once('close', (code, reason) =>
    onEnd(lane.pass(() => closeLike(to, code, reason), { canDrop: false })),
  );
}

/** Closes as the other end was closed. 1005 and 1006 are not sent: they say that nothing was. */
function closeLike(socket: WebSocket, code: number, reason: Buffer): void {
  const canBeSaid = code !== 1005 && code !== 1006 && socket.readyState === WebSocket.OPEN;
  if (canBeSaid) socket.close(code, reason);
  else socket.terminate();
}
