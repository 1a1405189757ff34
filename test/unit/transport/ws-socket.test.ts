import type { AddressInfo } from 'node:net';
import { asyncScheduler } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { noMask } from '../../../src/transport/no-mask.ts';
import { settingsOf } from '../../../src/transport/ws-options.ts';
import { PeerSocket } from '../../../src/transport/ws-socket.ts';

const { limits } = settingsOf({ listen: { port: 0 } });
const servers: WebSocketServer[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

/** A socket to a server that takes what comes, and what the server has taken. */
async function connected() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  servers.push(server);
  const received: Buffer[] = [];
  server.on('connection', (peer) => peer.on('message', (data: Buffer) => received.push(data)));
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const webSocket = new WebSocket(url, { generateMask: noMask }); // Otherwise `ws` sends a copy of the bytes.
  await new Promise((resolve) => webSocket.once('open', resolve));
  const owner = { onMessage: () => undefined, onClosed: () => undefined, onGone: () => undefined };
  return {
    server,
    received,
    socket: new PeerSocket(webSocket, { limits, scheduler: asyncScheduler, owner }),
  };
}

describe('bytes that are sent on a socket', () => {
  it('may be changed once it says so', async () => {
    const { received, socket } = await connected();
    const bytes = new Uint8Array(300_000).fill(1);

    await new Promise<void>((resolve) => socket.send(bytes, resolve));
    bytes.fill(2);
    await new Promise<void>((resolve) => socket.send(bytes, resolve));

    await expect.poll(() => received.length).toBe(2);
    expect(received.map((each) => new Set(each))).toEqual([new Set([1]), new Set([2])]);
  });

  it('are given back at once where the operating system takes them', async () => {
    const { received, socket } = await connected();
    const bytes = new Uint8Array(1_000).fill(1);
    let isSent = false;

    socket.send(bytes, () => {
      isSent = true;
    });
    expect(isSent).toBe(true);
    bytes.fill(2);

    await expect.poll(() => received.length).toBe(1);
    expect(new Set(received[0])).toEqual(new Set([1]));
  });

  it('are as they were for all messages that are given back while the other end is slow', async () => {
    const { server, received, socket } = await connected();
    const [client] = server.clients;
    client?.pause();
    const free: Uint8Array[] = [];
    let number = 0;
    const sendMany = (count: number) => {
      for (const end = number + count; number < end; number++) {
        const bytes = (free.pop() ?? new Uint8Array(16_384)).fill(number % 251);
        socket.send(bytes, () => free.push(bytes));
      }
    };

    sendMany(1_000); // 16 MB: more than the operating system holds for both ends.
    expect(socket.bufferedBytes).toBeGreaterThan(0);
    client?.resume();
    await expect.poll(() => socket.bufferedBytes).toBe(0);
    sendMany(1_000);

    await expect.poll(() => received.length).toBe(2_000);
    expect(received.every((message, place) => message.every((byte) => byte === place % 251))).toBe(true);
  });

  it('are not asked for, nor given back, once it is closed', async () => {
    const { received, socket } = await connected();
    let isSent = false;

    socket.terminate();
    socket.send(Uint8Array.of(1), () => {
      isSent = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect(isSent).toBe(false);
    expect(received).toEqual([]);
  });

  it('are not given back while the other end does not take them', async () => {
    const { server, socket } = await connected();
    for (const client of server.clients) client.pause();
    const large = 64 * 1024 * 1024; // More than the operating system holds for both ends.
    let sent = 0;

    socket.send(new Uint8Array(large), () => {
      sent += 1;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sent).toBe(0);

    for (const client of server.clients) client.resume();
    await expect.poll(() => sent).toBe(1);
  });
});
