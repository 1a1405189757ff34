import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { lastAnswerOf } from './client-errors.ts';
import type { KvServices } from './context.ts';
import { malformed } from './errors.ts';
import { answerPut, isWelcome, type PlainPut, plainPutOf } from './plain-put.ts';

/** Connections on which nothing has come yet but plain puts. The server does not know of them. */
export interface PlainConnections {
  /** Ends those that wait for a request. */
  closeIdle(): void;
  /** Ends all. */
  closeAll(): void;
}

/**
 * Answers plain puts at the connection, without the streams and events of Node and the objects and promises of the
 * application for each. That takes 23 µs of the processor, where Node alone takes 31 and the application with it 61
 * (64 connections, and a node that answers at once).
 *
 * The first bytes that are no plain put are Node's to read, and all that come after them on that connection.
 */
export function servePlainPuts(server: Server, services: KvServices): PlainConnections {
  const [toNode] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  if (toNode === undefined) throw new Error('an HTTP server that takes no connections');
  const open = new Set<PlainConnection>();
  server.off('connection', toNode);
  server.on('connection', (socket) => {
    const connection = new PlainConnection(socket, services, server.keepAliveTimeout);
    open.add(connection);
    connection.onLeave = () => {
      open.delete(connection);
      toNode.call(server, socket);
    };
    socket.once('close', () => open.delete(connection));
  });
  return {
    closeIdle: () => {
      for (const connection of open) if (connection.isIdle) connection.end();
    },
    closeAll: () => {
      for (const connection of open) connection.end();
    },
  };
}

/** One request at a time. What comes before that is answered makes the connection Node's, after the answer. */
class PlainConnection {
  /** Takes the socket over, with what it has been given back. */
  onLeave: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #services: KvServices;
  readonly #keepAliveMs: number;
  #isBusy = false;
  #hasAnswered = false;
  #hasLeft = false;
  #isSilent = false;
  /** Whether the client sends nothing more, or need not. */
  #isOver = false;
  /** What has come of a request that is not whole, or too early. */
  #held: Buffer | null = null;

  constructor(socket: Socket, services: KvServices, keepAliveMs: number) {
    this.#socket = socket;
    this.#services = services;
    this.#keepAliveMs = keepAliveMs;
    socket.setTimeout(keepAliveMs);
    socket.on('data', this.#onData).on('end', this.#onEnd);
    socket.on('timeout', this.#onTimeout).on('error', ignore);
  }

  /** Whether it waits for a request. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#held === null;
  }

  end(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#isOver) return; // It has been told that nothing more is answered.
    this.#isSilent = false;
    const held = this.#held;
    const received = held === null ? bytes : Buffer.concat([held, bytes]);
    if (this.#isBusy) {
      this.#held = received;
      return void this.#socket.pause();
    }
    const put = plainPutOf(received);
    if (put === null || this.#socket.writableLength > 0 || !isWelcome(put, this.#services))
      return this.#leave(received);
    const end = put.valueAt + put.valueBytes;
    if (received.byteLength === end) {
      this.#held = null;
      return void this.#answer(put, received.subarray(put.valueAt));
    }
    const isFirstPart = held === null && received.byteLength < end;
    if (!isFirstPart) return this.#leave(received); // Who sends little by little is for Node to be patient with.
    this.#held = received; // Many clients send a head, and then the value.
  };

  async #answer(put: PlainPut, value: Uint8Array): Promise<void> {
    this.#isBusy = true;
    const [head, body] = await answerPut(put, value, this.#services);
    this.#isBusy = false;
    this.#isSilent = false; // It has had to wait for this.
    this.#hasAnswered = true;
    this.#isOver ||= this.#services.closing.aborted;
    if (this.#isOver) return void this.#socket.end(`${head}Connection: close\r\n\r\n${body}`);
    const seconds = Math.floor(this.#keepAliveMs / 1000);
    this.#socket.write(`${head}Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n\r\n${body}`);
    if (this.#held !== null) this.#leave(this.#held);
  }

  readonly #onEnd = (): void => {
    this.#isOver = true;
    if (this.#isBusy) return;
    if (this.#held === null) this.#socket.end();
    else this.#socket.end(lastAnswerOf(malformed('the body ended too early')));
  };

  /** What came while this process was held up is read before anybody is taken to be silent. */
  readonly #onTimeout = (): void => {
    if (this.#isBusy) return;
    this.#isSilent = true;
    setImmediate(() => this.#onSilence());
  };

  #onSilence(): void {
    if (this.#isBusy || !this.#isSilent || this.#hasLeft) return;
    if (this.#hasAnswered && this.#held === null) this.end();
    else this.#leave(this.#held); // Node knows what to say to who is too slow.
  }

  #leave(unread: Buffer | null): void {
    const socket = this.#socket;
    this.#hasLeft = true;
    this.#held = null;
    if (socket.destroyed) return; // Node would wait for its end, which has been.
    socket.off('data', this.#onData).off('end', this.#onEnd);
    socket.off('timeout', this.#onTimeout).off('error', ignore);
    socket.setTimeout(0).pause();
    if (unread !== null) socket.unshift(unread);
    this.onLeave();
    socket.resume();
  }
}

/** What breaks a connection also closes it. */
function ignore(): void {}
