import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { ClientSocket } from '../../../src/transport/client/web-socket.ts';
import { clientOf, RawClient, served } from './endpoints.ts';

/** How fast one direction of a link is: so many bytes, then a pause. */
interface Pace {
  readonly bytes: number;
  readonly everyMs: number;
}

const fast: Pace = { bytes: Number.POSITIVE_INFINITY, everyMs: 0 };
/** A megabyte takes longer than a second. */
const slow: Pace = { bytes: 8_192, everyMs: 10 };
/** So short that a link which is taken for dead has less than a megabyte behind it. */
const pingMs = 50;

/** A WebSocket as browsers have it: nothing can be seen of a message until all of it is there. */
class PlainSocket implements ClientSocket {
  binaryType = 'arraybuffer';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  readonly #socket: WebSocket;

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onopen = () => this.onopen?.();
    this.#socket.onmessage = ({ data }) => this.onmessage?.({ data });
    this.#socket.onclose = ({ code, reason }) => this.onclose?.({ code, reason });
    this.#socket.onerror = ({ message }) => this.onerror?.({ message });
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array): void {
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

/** A link to that server which takes its time, and how often it was dialed. */
async function linkTo(serverUrl: string, { up = fast, down = fast }: { up?: Pace; down?: Pace }) {
  const link = { url: '', dialed: 0 };
  const { port, pathname } = new URL(serverUrl);
  const server = createServer((near) => {
    link.dialed += 1;
    const far = connect(Number(port), '127.0.0.1');
    for (const socket of [near, far])
      onTestFinished(() => {
        socket.destroy();
      });
    void trickle(near, far, up);
    void trickle(far, near, down);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  link.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`;
  return link;
}

async function trickle(from: Socket, to: Socket, { bytes, everyMs }: Pace): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>)
      for (let at = 0; at < chunk.length; at += bytes) {
        to.write(chunk.subarray(at, Math.min(chunk.length, at + bytes)));
        if (everyMs > 0) await pause(everyMs);
      }
    to.end();
  } catch {
    to.destroy(); // One end has cut it.
  }
}

describe('a link that needs longer for one message than a silent one is kept', () => {
  it('carries a large request: the server says that it is arriving', async () => {
    const { url } = await served({ pingMs });
    const link = await linkTo(url, { up: slow });
    const client = clientOf(link.url, { WebSocket: PlainSocket, pingMs, timeoutMs: 60_000 });

    const { result } = await client.write('x'.repeat(1_000_000));

    expect(result).toHaveLength(1_000_000);
    expect(link.dialed).toBe(1);
  });

  it('carries a large answer: the client sees that it is arriving', async () => {
    const { url } = await served({ pingMs });
    const link = await linkTo(url, { down: slow });
    const client = clientOf(link.url, { pingMs, timeoutMs: 60_000 });

    const { value } = await client.read('1000000');

    expect(value).toHaveLength(1_000_000);
    expect(link.dialed).toBe(1);
  });

  it('carries an answer for which its client is not read from: the server sees that it is leaving', async () => {
    const { url, reads } = await served({ pingMs });
    const link = await linkTo(url, { down: { bytes: 65_536, everyMs: 2 } });
    const client = clientOf(link.url, { pingMs, timeoutMs: 60_000 });

    const read = client.read('30000000');
    await vi.waitUntil(() => reads.length > 0, 30_000);
    await pause(pingMs); // It is not read from now.
    const write = client.write('x'.repeat(100_000)); // No ping gets past this.

    expect((await read).value).toHaveLength(30_000_000);
    expect((await write).result).toHaveLength(100_000);
    expect(link.dialed).toBe(1);
  });
});

/** A server whose pings come fast, and a client that it has let in, by its bytes. */
async function oneClient() {
  const { url, endpoint } = await served({ pingMs: 20 });
  const client = new RawClient(url);
  await client.hello();
  const { _socket: tcp } = client.socket as unknown as { _socket: Socket };
  return { endpoint, client, tcp };
}

describe('a client that stops in the middle of an answer', () => {
  it('is cut off', async () => {
    const { endpoint, client } = await oneClient();

    client.socket.pause();
    client.read(1, '30000000');

    await vi.waitUntil(() => endpoint.connections === 0, { timeout: 30_000 });
  });
});

describe('a client that sends one byte after the other', () => {
  it('is cut off: it would keep its place, and the memory of its message, for good', async () => {
    const { endpoint, tcp } = await oneClient();
    let left = 1_024;

    tcp.write(Uint8Array.of(0x82, 0x80 + 126, 4, 0, 0, 0, 0, 0)); // 1,024 bytes are to come, with a mask.
    tcp.pause(); // It answers no ping.
    while (left > 0 && endpoint.connections > 0) {
      tcp.write(Uint8Array.of(0));
      left -= 1;
      await pause(20);
    }

    expect(left).toBeGreaterThan(0);
  });
});

describe('a client that stops in the middle of a request', () => {
  it('is cut off', async () => {
    const { endpoint, tcp } = await oneClient();

    tcp.write(Uint8Array.of(0x82, 0x80 + 126, 4, 0, 0, 0, 0, 0, 1, 2, 3)); // Three bytes of 1,024, with a mask.
    tcp.pause();

    await vi.waitUntil(() => endpoint.connections === 0, { timeout: 30_000 });
  });
});
