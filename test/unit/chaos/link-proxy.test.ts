import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { encodePeerMessage } from '../../../src/transport/message-codec.ts';
import { protocolVersion } from '../../../src/transport/transport.ts';
import { LinkProxy } from '../../chaos/link-proxy.ts';
import { Forecast } from '../../chaos/link-weather.ts';
import { freePort } from '../../ports.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const hello = encodePeerMessage({
  type: 'hello',
  hello: { protocolVersion, clusterId: null, id: 'n2', storeId: 's2', bootCounter: 1, members: [] },
});

/** A node of place 0 behind a proxy, and a dialer of place 1 that has introduced itself. */
async function linked() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const forecast = new Forecast();
  const port = await freePort();
  const target = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const placeOf = (id: string): number => (id === 'n2' ? 1 : -1);
  const proxy = new LinkProxy({
    place: 0,
    host: '127.0.0.1',
    port,
    target,
    forecast,
    placeOf,
    below: (bound) => bound - 1,
  });
  await proxy.open();
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const dialer = new WebSocket(`ws://127.0.0.1:${port}`);
  const [node] = await accepted;
  const [atNode, atDialer]: [string[], string[]] = [[], []];
  node.on('message', (bytes: Buffer) => atNode.push(bytes.toString('latin1')));
  dialer.on('message', (bytes: Buffer) => atDialer.push(bytes.toString('latin1')));
  if (dialer.readyState !== WebSocket.OPEN) await once(dialer, 'open');
  dialer.send(hello);
  await vi.waitFor(() => expect(atNode).toHaveLength(1), 30_000);
  atNode.length = 0;
  cleanups.push(() => {
    dialer.terminate();
    proxy.close();
    server.close();
  });
  return { forecast, proxy, node, dialer, atNode, atDialer };
}

const thereOnly = (from: number, to: number): boolean => from === 1 && to === 0;

describe('a link of the proxy', () => {
  it('passes on what both ends say, late and in order', async () => {
    const { forecast, node, dialer, atNode, atDialer } = await linked();
    const end = forecast.begin({ covers: () => true, delayMs: 20, jitterMs: 10 });
    dialer.send('a');
    end();
    dialer.send('b');
    node.send('c');

    await vi.waitFor(() => expect([atNode, atDialer]).toEqual([['a', 'b'], ['c']]), 30_000);
  });

  it('loses one direction alone, and the connection does not notice', async () => {
    const { forecast, node, dialer, atNode, atDialer } = await linked();
    const end = forecast.begin({ covers: thereOnly, isSilent: true });
    dialer.send('lost');
    node.send('heard');
    await vi.waitFor(() => expect(atDialer).toEqual(['heard']), 30_000);
    end();

    dialer.send('again');

    await vi.waitFor(() => expect(atNode).toEqual(['again']), 30_000);
  });

  it('keeps from one end that the other is gone, until the weather clears', async () => {
    const { forecast, node, dialer } = await linked();
    const closed = once(node, 'close');
    const end = forecast.begin({ covers: thereOnly, isSilent: true });
    dialer.terminate();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(node.readyState).toBe(WebSocket.OPEN);

    end();

    await closed;
  });

  it('hands on why it was closed', async () => {
    const { node, dialer } = await linked();
    const closed = once(dialer, 'close') as Promise<[number, Buffer]>;

    node.close(4_001, 'another version');

    const [code, reason] = await closed;
    expect([code, reason.toString()]).toEqual([4_001, 'another version']);
  });

  it('is cut at both ends', async () => {
    const { proxy, node, dialer } = await linked();
    const ends = [once(node, 'close'), once(dialer, 'close')];

    proxy.cut();

    await Promise.all(ends);
  });
});
