import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { encodePayload } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { type RaftNode, raftNode, reducer } from '../../../src/streams/index.ts';
import { type RaftClientOptions, raftClient } from '../../../src/transport/client/index.ts';
import {
  type ClientMessage,
  decodeClientMessage,
  encodeClientMessage,
} from '../../../src/transport/client/message-codec.ts';
import type { ClientFrame } from '../../../src/transport/client/protocol.ts';
import { clientEndpoint } from '../../../src/transport/client-endpoint.ts';
import type { ClientEndpointOptions } from '../../../src/transport/client-endpoint-options.ts';
import type { Codec } from '../../../src/transport/codec.ts';

/** Texts of letters; anything else is no command. */
export const letters: Codec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => {
    const text = new TextDecoder().decode(bytes);
    if (!/^[a-z]*$/.test(text)) throw new RangeError(`${JSON.stringify(text)} has more than letters`);
    return text;
  },
};

const texts: Codec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => new TextDecoder().decode(bytes),
};

/** A machine that keeps a text, and answers how often a query is in it; `throw` makes it throw. */
const machine = () =>
  reducer<string, string, string>('', (all, letter) => [all + letter, `${all}${letter}`], {
    command: letters,
    result: texts,
  });

type Node = RaftNode<string, string, (all: string) => string, string>;
type Options = Partial<ClientEndpointOptions<string, string, string, string>>;

/** A cluster of one with an endpoint for clients, for one test. */
export async function served(options: Options = {}) {
  const node: Node = await raftNode({ id: 'n1', machine: machine(), storage: memoryStorage() });
  await node.read((all) => all); // Its leader has begun.
  const writes: number[] = [];
  const reads: string[] = [];
  let held: Promise<unknown> = Promise.resolve();
  let release = (): void => undefined;
  const asked = {
    id: node.id,
    leader$: node.leader$,
    status: () => node.status(),
    async writeEncoded(commands: readonly Uint8Array[], limits: { readonly timeoutMs: number }) {
      writes.push(commands.length);
      await held;
      return node.writeEncoded(commands, limits);
    },
    read: (query: string, limits: Parameters<Node['read']>[1]) =>
      node.read((all) => {
        reads.push(query);
        if (query === 'throw') throw new Error('a secret of the server');
        return query === 'all' ? all : 'x'.repeat(Number(query));
      }, limits),
  };
  const endpoint = clientEndpoint({
    node: asked,
    command: letters,
    result: texts,
    query: texts,
    answer: texts,
    hasSessions: false,
    closeTimeoutMs: 500,
    ...options,
  });
  const server = createServer(tellRequest);
  endpoint.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await endpoint.close();
    await node.close();
    server.close().closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  /** Lets the node begin no write until what it returns is called. */
  const hold = (): (() => void) => {
    held = new Promise<void>((resolve) => {
      release = resolve;
    });
    return () => release();
  };
  return { node, endpoint, server, writes, reads, hold, url: `ws://127.0.0.1:${port}/client` };
}

/** Answers a request over plain HTTP with what has come of it. */
function tellRequest(request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  let body = '';
  request.setEncoding('latin1').on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => response.end(JSON.stringify({ method, url, headers, body })));
}

/** A client of it. */
export function clientOf(
  url: string,
  options: Partial<RaftClientOptions<string, string, string, string>> = {},
) {
  const codecs = { command: texts, result: texts, query: texts, answer: texts };
  const client = raftClient({ urls: [url], WebSocket, ...codecs, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A connection on which a test says what it likes. */
export class RawClient {
  readonly socket: WebSocket;
  readonly messages: ClientMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  /** The HTTP status with which the upgrade was refused, and its text. */
  readonly refused: Promise<{ status: number; text: string }>;
  readonly opened: Promise<void>;
  /** Whether it answers pings, as a client of this protocol does. */
  answersPings = true;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data: Buffer) => {
      const message = decodeClientMessage(new Uint8Array(data)) as ClientMessage;
      this.messages.push(message);
      for (const frame of message.type === 'frames' && this.answersPings ? message.frames : [])
        if (frame.type === 'ping') this.send({ type: 'frames', frames: [{ ...frame, type: 'pong' }] });
    });
    this.socket.on('error', () => undefined);
    this.opened = new Promise((resolve) => this.socket.once('open', resolve));
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    this.refused = new Promise((resolve) => {
      this.socket.once('unexpected-response', (_, response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
    });
    onTestFinished(() => this.socket.terminate());
  }

  send(message: ClientMessage): void {
    this.socket.send(encodeClientMessage(message));
  }

  async hello(): Promise<void> {
    await this.opened;
    this.send({ type: 'hello', hello: { protocolVersion: 1, group: 0 } });
    await this.until(({ type }) => type === 'welcome');
  }

  write(firstId: number, ...commands: readonly string[]): void {
    const payload = encodePayload(commands.map((command) => texts.encode(command)));
    this.send({
      type: 'frames',
      frames: [{ type: 'write', firstId, timeoutMs: 2_000, count: commands.length, payload }],
    });
  }

  read(firstId: number, ...queries: readonly string[]): void {
    const payload = encodePayload(queries.map((query) => texts.encode(query)));
    const frame = { type: 'read', firstId, timeoutMs: 2_000, consistency: 'stale', index: 0 } as const;
    this.send({ type: 'frames', frames: [{ ...frame, count: queries.length, payload }] });
  }

  get frames(): readonly ClientFrame[] {
    return this.messages.flatMap((message) => (message.type === 'frames' ? message.frames : []));
  }

  /** Resolves once a message like this has arrived. */
  async until(isWanted: (message: ClientMessage) => boolean): Promise<void> {
    while (!this.messages.some(isWanted)) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Resolves once so many requests are answered. */
  async answered(count: number): Promise<void> {
    const countOf = (frame: ClientFrame): number =>
      frame.type === 'answered'
        ? frame.ids.length
        : frame.type === 'written' || frame.type === 'refused'
          ? frame.count
          : 0;
    while (this.frames.reduce((sum, frame) => sum + countOf(frame), 0) < count)
      await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
