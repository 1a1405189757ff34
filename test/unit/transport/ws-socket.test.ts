import type { AddressInfo } from 'node:net';
import { asyncScheduler } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
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
  const webSocket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
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
