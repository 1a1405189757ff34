import { describe, expect, it } from 'vitest';
import { clusterOfAll } from './harness/cluster.ts';
import type { ServerNode } from './harness/server-node.ts';
import { until } from './harness/until.ts';
import { watching } from './harness/watching.ts';

const cluster = clusterOfAll(['n1', 'n2', 'n3']);

async function nodeThat(role: 'leads' | 'follows'): Promise<ServerNode> {
  const leader = await cluster.leader();
  return role === 'leads' ? leader : (cluster.nodes.find((node) => node !== leader) as ServerNode);
}

describe.each(['leads', 'follows'] as const)('a node that %s', (role) => {
  const name = (key: string): string => `${role}-${key}`;
  const committed = { index: expect.any(Number), term: expect.any(Number) };

  it('puts, gets and deletes', async () => {
    const node = await nodeThat(role);
    const value = Buffer.from([0, 255, 128, 10]);

    const put = await node.ask(`PUT /kv/${name('a%20%2Fb')}`, { body: value });
    const got = await node.ask(`GET /kv/${name('a%20%2Fb')}`);
    const deleted = await node.ask(`DELETE /kv/${name('a%20%2Fb')}`);
    const again = await node.ask(`DELETE /kv/${name('a%20%2Fb')}`);
    const gone = await node.ask(`GET /kv/${name('a%20%2Fb')}`);

    expect([put.status, put.json]).toEqual([200, committed]);
    expect([got.status, got.body]).toEqual([200, value]);
    expect(Number(got.headers['rxraft-index'])).toBeGreaterThanOrEqual((put.json as { index: number }).index);
    expect([deleted.status, deleted.json]).toEqual([200, { existed: true, ...committed }]);
    expect([again.status, again.json]).toEqual([200, { existed: false, ...committed }]);
    expect([gone.status, gone.error.code]).toEqual([404, 'KV_NOT_FOUND']);
  });

  it('reads at least what the session has written', async () => {
    const node = await nodeThat(role);
    for (let round = 0; round < 10; round++) {
      const body = String(round);
      const { index } = (await node.ask(`PUT /kv/${name('mine')}`, { body })).json as { index: number };

      for (const each of cluster.nodes) {
        const answer = await each.ask(`GET /kv/${name('mine')}?consistency=session&index=${index}`);

        expect(answer.text).toBe(body);
      }
    }
  });

  it('appends', async () => {
    const node = await nodeThat(role);

    const first = await node.ask(`POST /append/${name('list')}`, { body: 'abc' });
    const second = await node.ask(`POST /append/${name('list')}`, { body: 'de' });
    const value = await node.ask(`GET /kv/${name('list')}`);

    expect(first.json).toEqual({ length: 3, ...committed });
    expect(second.json).toEqual({ length: 5, ...committed });
    expect(value.text).toBe('abcde');
  });

  it('compares and swaps', async () => {
    const node = await nodeThat(role);
    const cas = async (expected: string | null, value: string) => {
      const body = JSON.stringify({ expect: expected, value });
      return (await node.ask(`POST /cas/${name('lock')}`, { body })).json;
    };

    expect(await cas(null, 'me')).toEqual({ swapped: true, ...committed });
    expect(await cas(null, 'you')).toEqual({ swapped: false, ...committed });
    expect(await cas('me', 'you')).toEqual({ swapped: true, ...committed });
    expect((await node.ask(`GET /kv/${name('lock')}`)).text).toBe('you');
  });

  it('carries out a batch, and gives a range of keys in order', async () => {
    const node = await nodeThat(role);
    const body = JSON.stringify([
      { op: 'put', key: name('r2'), value: 'two' },
      { op: 'put', key: name('r1'), value: 'one' },
      { op: 'append', key: name('r1'), value: '!' },
      { op: 'cas', key: name('r3'), expect: 'nothing like it', value: 'three' },
      { op: 'delete', key: name('r9') },
    ]);

    const batch = await node.ask('POST /batch', { body });
    const all = await node.ask(`GET /range?prefix=${name('r')}`);
    const first = await node.ask(`GET /range?prefix=${name('r')}&limit=1`);

    expect([batch.status, batch.json]).toEqual([
      200,
      [
        committed,
        committed,
        { length: 4, ...committed },
        { swapped: false, ...committed },
        { existed: false, ...committed },
      ],
    ]);
    const one = { key: name('r1'), value: 'one!' };
    expect(all.json).toMatchObject({ items: [one, { key: name('r2'), value: 'two' }], next: null });
    expect(first.json).toMatchObject({ items: [one], next: name('r2') });
  });

  it('tells watchers what is committed, and where they left off', async () => {
    const node = await nodeThat(role);
    const prefix = name('w');
    const { lastApplied } = await node.status();
    await using watch = await watching(node.url, `/watch?from=${lastApplied + 1}&prefix=${prefix}`);
    const keys = ['a', 'b', 'c'];
    for (const key of keys) await node.ask(`PUT /kv/${prefix}${key}`, { body: key });

    const seen = await watch.take(3);
    await using resumed = await watching(node.url, `/watch?prefix=${prefix}`, {
      'last-event-id': seen[0]?.id ?? '',
    });
    const again = await resumed.take(2);

    expect(seen.map(({ data }) => data)).toMatchObject(
      keys.map((key) => ({ op: 'put', key: `${prefix}${key}`, value: key })),
    );
    expect(seen.map(({ id, data }) => Number(id) === data['index'])).toEqual([true, true, true]);
    expect(again).toEqual(seen.slice(1));
  });

  it('tells about itself', async () => {
    const node = await nodeThat(role);
    const leader = await nodeThat('leads');

    const status = await node.status();

    expect(status).toMatchObject({
      id: node.id,
      clusterId: expect.any(String),
      role: role === 'leads' ? 'leader' : 'follower',
      term: expect.any(Number),
      leaderId: leader.id,
      firstIndex: 1,
      snapshotIndex: 0,
      members: cluster.nodes.map(({ id, raftUrl }) => ({ id, url: raftUrl, role: 'voter' })),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
    expect(status.lastIndex).toBeGreaterThanOrEqual(status.commitIndex);
    expect(status.commitIndex).toBeGreaterThanOrEqual(status.lastApplied);
    if (role === 'follows') expect(status.peers).toBe(undefined);
    else {
      const others = cluster.nodes.filter((each) => each !== node);
      expect(status.peers?.map(({ id }) => id)).toEqual(others.map(({ id }) => id));
      await until('every peer replicates', async () =>
        (await node.status()).peers?.every(({ state }) => state === 'replicate'),
      );
    }
  });

  it('says that it is alive and ready', async () => {
    const node = await nodeThat(role);
    const leader = await nodeThat('leads');

    const alive = await node.ask('GET /livez');
    const ready = await node.ask('GET /readyz');

    expect([alive.status, alive.json]).toEqual([200, { alive: true }]);
    expect([ready.status, ready.json]).toEqual([200, { ready: true, leaderId: leader.id }]);
  });
});

describe('a watcher of one node', () => {
  it('sees what is written through another', async () => {
    const [writer, watched] = [await nodeThat('leads'), await nodeThat('follows')];
    const { lastApplied } = await watched.status();
    await using watch = await watching(watched.url, `/watch?from=${lastApplied + 1}&prefix=elsewhere`);

    await writer.ask('PUT /kv/elsewhere', { body: 'yes' });
    const [event] = await watch.take(1);

    expect(event?.data).toMatchObject({ op: 'put', key: 'elsewhere', value: 'yes' });
  });
});
