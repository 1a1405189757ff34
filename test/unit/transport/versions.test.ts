import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { decodePeerMessage, encodePeerMessage } from '../../../src/transport/message-codec.ts';
import { type Hello, protocolVersion, type TransportEvent } from '../../../src/transport/transport.ts';
import { type WsTransport, wsTransport } from '../../../src/transport/ws-transport.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const helloOf = (id: string): Hello => {
  return { protocolVersion, clusterId: 'c', id, storeId: `store-${id}`, bootCounter: 1, members: [] };
};

/** The hello of a release to come: type, magic and version, and then what only that release knows. */
function helloOfLater(): Uint8Array {
  const bytes = Buffer.from(encodePeerMessage({ type: 'hello', hello: helloOf('later') }).slice(0, 40));
  bytes.writeUInt16BE(protocolVersion + 1, 5);
  bytes.fill(0xee, 7);
  return bytes;
}

async function opened(id: string): Promise<{ transport: WsTransport; events: TransportEvent[] }> {
  const transport = wsTransport({ listen: { port: 0 }, backoffMsMin: 5, backoffMsMax: 20, seed: 1 });
  const events: TransportEvent[] = [];
  transport.event$.subscribe((event) => events.push(event));
  await transport.open({ hello: () => helloOf(id), admit: () => null });
  cleanups.push(() => transport.close());
  return { transport, events };
}

/** What the other end is told, up to its refusal. */
async function refusalHeardOn(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const closed = once(socket, 'close');
  const reason = await new Promise<string>((resolve) => {
    socket.on('message', (data) => {
      const decoded = decodePeerMessage(new Uint8Array(data as Buffer));
      if (decoded.type === 'refusal') resolve(decoded.refusal.reason);
    });
  });
  const [code] = await closed;
  return { code, reason };
}

const bothVersions = `speaks version ${protocolVersion} of the peer protocol, the other node version ${protocolVersion + 1}`;
const refused = { type: 'refused', by: 'us', refusal: { code: 'protocolVersion' } };

describe('two versions of the protocol', () => {
  it('refuse each other with both numbers where the later one dials, and others are served', async () => {
    const { transport, events } = await opened('a');
    const socket = new WebSocket(transport.url as string);
    await once(socket, 'open');

    socket.send(helloOfLater());
    const { code, reason } = await refusalHeardOn(socket);

    expect(code).toBe(4001);
    expect(reason).toContain(bothVersions);
    expect(events).toMatchObject([refused]);
    const peer = await opened('b');
    peer.transport.setPeers([{ id: 'a', url: transport.url as string }]);
    await vi.waitFor(() => expect(peer.events).toMatchObject([{ type: 'up' }]), { timeout: 20_000 });
  });

  it('refuse each other with both numbers where the later one is dialed', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    const refusal = new Promise<{ code: number; reason: string }>((resolve) => {
      server.once('connection', (socket) => {
        socket.send(helloOfLater());
        resolve(refusalHeardOn(socket));
      });
    });
    const { transport, events } = await opened('a');

    transport.setPeers([{ id: 'later', url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }]);
    const { code, reason } = await refusal;

    expect(code).toBe(4001);
    expect(reason).toContain(bothVersions);
    expect(events).toMatchObject([refused]);
  });
});
