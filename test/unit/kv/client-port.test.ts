import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { raftClient } from 'rxraft/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { kvClientEndpoint } from '../../../examples/kv/client-port.ts';
import { kvCommandCodec } from '../../../examples/kv/kv-command.ts';
import { kvAnswerCodec, kvQueryCodec } from '../../../examples/kv/kv-query.ts';
import { kvExecutedCodec } from '../../../examples/kv/kv-result.ts';
import { bytes, fakeNode } from './builders.ts';

/** A client of the WebSockets of a node that is none, and what the node is asked. */
async function clientOfFake() {
  const { node, asked } = await fakeNode();
  const endpoint = kvClientEndpoint(node, {
    limits: { keyBytesMax: 64, valueBytesMax: 64, timeoutMs: 200, watchersMax: 2, heartbeatMs: 15_000 },
    hosts: { boundHost: '127.0.0.1', allowedHosts: [] },
    commandBytesMax: 1_024,
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const server = createServer();
  endpoint.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = raftClient({
    urls: [`ws://127.0.0.1:${port}/client`],
    command: kvCommandCodec,
    result: kvExecutedCodec,
    query: kvQueryCodec,
    answer: kvAnswerCodec,
    WebSocket,
  });
  onTestFinished(async () => {
    await client.close();
    await endpoint.close();
    server.close();
  });
  const range = (limit: number) =>
    client.read({ type: 'range', prefix: bytes('a'), from: bytes('a'), limit });
  return { range, asked };
}

describe('a range that is asked for over a WebSocket', () => {
  it.each([1, 1_000])('may have %i entries', async (limit) => {
    const { range, asked } = await clientOfFake();

    await expect(range(limit)).resolves.toMatchObject({ value: { type: 'range', entries: [], next: null } });
    expect(asked).toMatchObject([{ query: { type: 'range', limit } }]);
  });

  it.each([0, 1_001, 2 ** 32 - 1])('is refused with a limit of %i, as over HTTP', async (limit) => {
    const { range, asked } = await clientOfFake();

    await expect(range(limit)).rejects.toMatchObject({
      code: 'RAFT_BAD_REQUEST',
      outcome: 'notCommitted',
      message: expect.stringContaining(`limit is a whole number from 1 to 1000, not ${limit}`),
    });
    expect(asked).toEqual([]);
  });
});
