import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type KvCommand, kvCommandCodec } from '../../examples/kv/kv-command.ts';
import type { KvAnswer, KvQuery } from '../../examples/kv/kv-machine.ts';
import { kvAnswerCodec, kvQueryCodec } from '../../examples/kv/kv-query.ts';
import { type KvExecuted, kvExecutedCodec } from '../../examples/kv/kv-result.ts';
import { type RaftClient, raftClient } from '../../src/transport/client/index.ts';
import { clusterOfTest } from './harness/cluster.ts';
import type { ServerNode } from './harness/server-node.ts';
import { until } from './harness/until.ts';

type KvClient = RaftClient<KvCommand, KvExecuted, KvQuery, KvAnswer>;

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

function clientOf(nodes: readonly ServerNode[]): KvClient {
  return raftClient({
    urls: nodes.map(({ url }) => `${url.replace('http', 'ws')}/client`),
    command: kvCommandCodec,
    result: kvExecutedCodec,
    query: kvQueryCodec,
    answer: kvAnswerCodec,
    timeoutMs: 20_000,
    WebSocket,
  });
}

/** Appends one mark after the other to a key of its own, some at once, until it is told to stop. */
class Marker {
  readonly acknowledged: string[] = [];
  readonly key: string;
  private next = 0;
  private isStopped = false;
  private readonly ended: Promise<unknown>;

  constructor(client: KvClient, key: string) {
    this.key = key;
    this.ended = Promise.all(Array.from({ length: 20 }, () => this.work(client)));
  }

  /** Resolves when everything that was sent is answered; rejects with the first answer that is an error. */
  stop(): Promise<unknown> {
    this.isStopped = true;
    return this.ended;
  }

  private async work(client: KvClient): Promise<void> {
    while (!this.isStopped) {
      const mark = `${this.next++};`;
      const command = {
        type: 'append',
        key: bytesOf(this.key),
        value: bytesOf(mark),
        valueBytesMax: 1_048_576,
      } as const;
      await client.write(command);
      this.acknowledged.push(mark);
    }
  }
}

async function marksOf(client: KvClient, key: string): Promise<readonly string[]> {
  const { value } = await client.read({ type: 'get', key: bytesOf(key) });
  const text = value.type === 'get' && value.value !== null ? Buffer.from(value.value).toString() : '';
  return text.match(/\d+;/g) ?? [];
}

describe('clients over WebSockets', () => {
  it('have each write answered once and applied once, while leaders are killed and stopped', async () => {
    const cluster = clusterOfTest();
    const nodes = await cluster.found(['n1', 'n2', 'n3']);
    const clients = [clientOf(nodes), clientOf([...nodes].reverse())];
    const markers = clients.map((client, at) => new Marker(client, `marks-${at}`));
    const count = () => Math.min(...markers.map(({ acknowledged }) => acknowledged.length));
    await until('marks are acknowledged', () => count() > 50);

    for (const end of ['kill', 'stop'] as const) {
      const leader = await cluster.leader();
      await leader[end]();
      const before = count();
      await until(`marks are acknowledged after a ${end}`, () => count() > before + 100);
      leader.start();
      await leader.ready();
    }
    await Promise.all(markers.map((marker) => marker.stop()));

    for (const [at, { key, acknowledged }] of markers.entries()) {
      const marks = await marksOf(clients[at] as KvClient, key);
      expect(marks).toHaveLength(new Set(marks).size); // None twice.
      expect(new Set(marks)).toEqual(new Set(acknowledged)); // None lost, none that was not answered.
    }
    const leaderUrl = `${(await cluster.leader()).url.replace('http', 'ws')}/client`;
    for (const client of clients) {
      const urls: (string | undefined)[] = [];
      client.connection$.subscribe((connection) => urls.push(connection?.url));
      await until('the client talks to the leader', () => urls.at(-1) === leaderUrl);
      await client.close();
    }
  });

  it('reach the leader through any server, and are refused what the server does not take', async () => {
    const cluster = clusterOfTest();
    const nodes = await cluster.found(['n1', 'n2', 'n3']);
    const leader = await cluster.leader();
    const followers = nodes.filter((node) => node !== leader);
    const client = clientOf(followers);
    const put = (key: string, value: string) =>
      client.write({ type: 'put', key: bytesOf(key), value: bytesOf(value) });

    const { index } = await put('a', '1');
    const read = await client.read({ type: 'get', key: bytesOf('a') }, { consistency: 'session' });
    expect(read.index).toBeGreaterThanOrEqual(index);
    expect(read.value).toMatchObject({ type: 'get', value: expect.anything() });

    await expect(put('k'.repeat(1_025), '1')).rejects.toMatchObject({
      code: 'RAFT_BAD_COMMAND',
      outcome: 'notCommitted',
    });
    await expect(client.write({ type: 'unreadable', bytes: bytesOf('?') })).rejects.toMatchObject({
      code: 'RAFT_BAD_COMMAND',
    });
    const raised = {
      type: 'append',
      key: bytesOf('a'),
      value: bytesOf('1'),
      valueBytesMax: 2 ** 31,
    } as const;
    await expect(client.write(raised)).rejects.toThrow('an append may let a value grow to 1048576 bytes');
    await client.close();

    const foreign = new WebSocket(`${followers[0]?.url.replace('http', 'ws')}/client`, {
      origin: 'http://evil.example',
    });
    const status = await new Promise((resolve) =>
      foreign
        .on('error', () => undefined)
        .once('unexpected-response', (_, response) => resolve(response.statusCode)),
    );
    expect(status).toBe(403);
  });
});
