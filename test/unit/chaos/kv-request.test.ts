import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { request, type Told } from '../../chaos/kv-request.ts';

/** What a client takes from this answer to an append. */
async function toldBy(status: number, body: string): Promise<Told> {
  const server = createServer((_, response) => {
    response.statusCode = status;
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const operation = { type: 'append', value: 'a;' } as const;
  return request(`http://127.0.0.1:${port}`, { key: 'k', operation });
}

describe('an answer to a client', () => {
  it.each(['unknown', 'notCommitted'])('says that a write is %s', async (outcome) => {
    const body = JSON.stringify({ error: { code: 'RAFT_TIMEOUT', message: '', outcome } });

    expect(await toldBy(503, body)).toEqual({ outcome: { type: outcome }, code: 'RAFT_TIMEOUT' });
  });

  it.each([
    [503, 'no JSON'],
    [503, 'null'],
    [503, '{}'],
    [503, '{"error":{"code":"RAFT_TIMEOUT","outcome":"perhaps"}}'],
    [503, '{"error":{"outcome":"unknown"}}'],
    [500, '{"error":{"code":"KV_INTERNAL","outcome":"unknown"}}'],
    [200, 'no JSON'],
    [200, '{"length":"1"}'],
  ])('ends the run if it is not as the contract has it: %s %s', async (status, body) => {
    await expect(toldBy(status, body)).rejects.toMatchObject({ name: 'UnforeseenAnswer' });
  });
});
