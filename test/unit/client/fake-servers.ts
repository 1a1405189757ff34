import { decodePayload, encodePayload } from '../../../src/core/index.ts';
import {
  type ClientMessage,
  decodeClientMessage,
  encodeClientMessage,
} from '../../../src/transport/client/message-codec.ts';
import type { ClientFrame, ReadFrame, Welcome, WriteFrame } from '../../../src/transport/client/protocol.ts';
import type { ClientSocket, ClientSocketConstructor } from '../../../src/transport/client/web-socket.ts';

const text = new TextDecoder();
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A request as a server sees it. */
export interface Received {
  readonly id: number;
  /** A command with its session and number in front, such as `7/1 a`; a query as it is. */
  readonly what: string;
}

/** One connection, seen from the server, which does what the test says. */
export class FakeSocket implements ClientSocket {
  binaryType = '';
  bufferedAmount = 0;
  /** What a WebSocket of `ws` has below. */
  _socket: { bytesRead: number } | null = null;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly url: string;
  readonly messages: ClientMessage[] = [];
  /** Whether the client has cut it. */
  isCut = false;
  /** Whether pings are left unanswered. */
  isSilent = false;
  /** With what the client has closed it. */
  closedWith: { readonly code: number | undefined; readonly reason: string | undefined } | null = null;
  #seen = 0;

  constructor(url: string) {
    this.url = url;
  }

  send(data: Uint8Array): void {
    if (this.bufferedAmount > 0) this.bufferedAmount += data.byteLength; // It waits behind the rest.
    const message = decodeClientMessage(data) as ClientMessage;
    const isPing = message.type === 'frames' && message.frames[0]?.type === 'ping';
    if (!isPing) this.messages.push(message);
    else if (!this.isSilent) queueMicrotask(() => this.say({ type: 'pong', number: 0 }));
  }

  close(code?: number, reason?: string): void {
    this.closedWith ??= { code, reason };
  }

  terminate(): void {
    this.isCut = true;
  }

  /** Lets the client in. */
  welcome(nodeId: string, facts: Partial<Welcome> = {}): void {
    this.onopen?.();
    const welcome: Welcome = {
      protocolVersion: 1,
      group: 0,
      nodeId,
      clusterId: 'cluster',
      leaderId: nodeId,
      leaderUrl: null,
      hasSessions: false,
      frameBytesMax: 1_000_000,
      requestsMax: 4_096,
      ...facts,
    };
    this.receive(encodeClientMessage({ type: 'welcome', welcome }));
  }

  /** Says something, in one message. */
  say(...frames: readonly ClientFrame[]): void {
    this.receive(encodeClientMessage({ type: 'frames', frames }));
  }

  receive(bytes: Uint8Array): void {
    this.onmessage?.({ data: bytes.slice().buffer });
  }

  /** Breaks the connection. */
  drop(reason = 'cut'): void {
    this.onerror?.({ message: reason });
    this.onclose?.({ code: 1006, reason: '' });
  }

  /** The frames that arrived since the last look, pings apart. */
  frames(): readonly ClientFrame[] {
    const fresh = this.messages.slice(this.#seen);
    this.#seen = this.messages.length;
    return fresh.flatMap((message) => (message.type === 'frames' ? message.frames : []));
  }

  /** The requests that arrived since the last look. */
  requests(): readonly Received[] {
    return this.frames().flatMap((frame) =>
      frame.type === 'write' || frame.type === 'read' ? read(frame) : [],
    );
  }

  /** Commits what was asked, from this index on. */
  commit(requests: readonly Received[], index: number, result = 'done'): void {
    for (const [at, { id }] of requests.entries()) {
      const payload = encodePayload([bytesOf(result)]);
      this.say({ type: 'written', firstId: id, index: index + at, term: 1, count: 1, payload });
    }
  }

  /** The same for commands of a session: `applied`. */
  apply(requests: readonly Received[], index: number): void {
    this.commit(requests, index, '\0done');
  }

  /** Opens the session that was asked for. */
  open(session: number): void {
    const [request] = this.requests();
    if (request?.what !== 'open') throw new Error(`no session was asked for, but ${request?.what}`);
    const opened = new Uint8Array(9);
    opened[0] = 1;
    opened[8] = session;
    this.say({
      type: 'written',
      firstId: request.id,
      index: session,
      term: 1,
      count: 1,
      payload: encodePayload([opened]),
    });
  }

  refuse({ id }: Received, outcome: 'notCommitted' | 'unknown', code: string): void {
    this.say({ type: 'refused', firstId: id, count: 1, outcome, code, message: 'No.', leaderId: null });
  }
}

function read(frame: WriteFrame | ReadFrame): readonly Received[] {
  return decodePayload(frame.payload).map((bytes, at) => ({
    id: frame.firstId + at,
    what: wordsOf(frame, bytes),
  }));
}

function wordsOf({ type }: WriteFrame | ReadFrame, bytes: Uint8Array): string {
  if (type === 'read' || (bytes[0] ?? 255) > 2) return text.decode(bytes);
  if (bytes[0] === 1) return 'open';
  if (bytes[0] === 0) return `plain ${text.decode(bytes.subarray(1))}`;
  return `${bytes[8]}/${bytes[16]} from ${bytes[24]}: ${text.decode(bytes.subarray(25))}`;
}

/** The servers that a client under test connects to. */
export class FakeServers {
  readonly sockets: FakeSocket[] = [];
  readonly WebSocket: ClientSocketConstructor;

  constructor() {
    const { sockets } = this;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    };
  }

  /** The latest connection. */
  get last(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }

  /** Where the client has connected to, in order. */
  get urls(): readonly string[] {
    return this.sockets.map(({ url }) => url);
  }
}
