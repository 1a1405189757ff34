import { afterEach, describe, expect, it } from 'vitest';
import { clusterOfAll } from './harness/cluster.ts';
import type { ServerNode } from './harness/server-node.ts';
import { until } from './harness/until.ts';

const cluster = clusterOfAll(['n1', 'n2', 'n3']);
const { nodes } = cluster;

/** Whatever a test has stopped or killed goes on. */
afterEach(async () => {
  for (const node of nodes) {
    if (node.isRunning) node.signal('SIGCONT');
    else node.start();
  }
  await Promise.all(nodes.map((node) => node.ready()));
});

/** Two nodes besides this one. */
function othersOf(node: ServerNode): readonly ServerNode[] {
  return nodes.filter((other) => other !== node);
}

async function put(node: ServerNode, key: string, value: string, timeoutMs = 5_000): Promise<number> {
  const answer = await node.ask(`PUT /kv/${key}?timeoutMs=${timeoutMs}`, { body: value });
  if (answer.status !== 200) throw new Error(`PUT answers ${answer.status}: ${answer.text}`);
  return (answer.json as { index: number }).index;
}

describe('a follower', () => {
  it('answers a linearizable read with what was just written elsewhere', async () => {
    const leader = await cluster.leader();

    for (let round = 0; round < 20; round++) {
      const index = await put(leader, 'x', String(round));
      for (const follower of othersOf(leader)) {
        const answer = await follower.ask('GET /kv/x');

        expect([answer.status, answer.text]).toEqual([200, String(round)]);
        expect(Number(answer.headers['rxraft-index'])).toBeGreaterThanOrEqual(index);
      }
    }
  });
});

describe('a leader that was stopped while the others went on', () => {
  it('never gives its old value to a linearizable read, with nobody to ask', async () => {
    const old = await cluster.leader();
    const others = othersOf(old);
    await cluster.caughtUp(await put(old, 'x', 'old'));

    old.signal('SIGSTOP');
    const index = await until('the others have a leader that takes a write', () =>
      put(others[0] as ServerNode, 'x', 'new', 300),
    );
    for (const node of others) node.signal('SIGSTOP');
    old.signal('SIGCONT');

    // It wakes as the leader that it was; the requests that reach it first are those that could be fooled.
    const reads = await Promise.all(Array.from({ length: 10 }, () => old.ask('GET /kv/x?timeoutMs=400')));
    for (const answer of reads) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.error.outcome).toBe('notCommitted');
    }
    const stale = await old.ask('GET /kv/x?consistency=stale');
    expect(['old', 'new']).toContain(stale.text); // The new value may have been on its way to it.

    for (const node of others) node.signal('SIGCONT');
    await Promise.all(nodes.map((node) => node.ready()));
    await cluster.caughtUp(index);
    for (const node of nodes) expect((await node.ask('GET /kv/x')).text).toBe('new');
  });
});

describe('a node cut off from the majority', () => {
  it('refuses reads and writes in time, as a leader and when it has stepped down', async () => {
    const node = await cluster.leader();
    const others = othersOf(node);
    await cluster.caughtUp(await put(node, 'x', 'before'));

    // Still leading as far as it knows: it has taken the write, and can't say what will become of it.
    for (const other of others) other.signal('SIGSTOP');
    const [read, write] = await Promise.all([
      node.ask('GET /kv/x?timeoutMs=300'),
      node.ask('PUT /kv/taken?timeoutMs=300', { body: 'perhaps' }),
    ]);
    expect([read.status, read.error.outcome]).toEqual([503, 'notCommitted']);
    const hasTaken = write.error.code !== 'RAFT_NO_LEADER'; // Or the machine is so busy that it stepped down before.
    expect([write.status, write.error.outcome]).toEqual([503, hasTaken ? 'unknown' : 'notCommitted']);

    // Stepped down: nobody takes the write.
    await until('it has stepped down', async () => (await node.status()).leaderId === null);
    const lateRead = await node.ask('GET /kv/x?timeoutMs=300');
    const lateWrite = await node.ask('PUT /kv/refused?timeoutMs=300', { body: 'never' });
    expect([lateRead.status, lateRead.error.code]).toEqual([503, 'RAFT_NO_LEADER']);
    expect([lateWrite.status, lateWrite.error.code, lateWrite.error.outcome]).toEqual([
      503,
      'RAFT_NO_LEADER',
      'notCommitted',
    ]);
    for (const answer of [read, write, lateRead, lateWrite]) {
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.error.message).not.toBe('');
    }
    expect((await node.ask('GET /kv/x?consistency=stale')).text).toBe('before');
    expect((await node.ask('GET /livez')).status).toBe(200);
    expect((await node.ask('GET /readyz')).status).toBe(503);

    for (const other of others) other.signal('SIGCONT');
    await Promise.all(nodes.map((each) => each.ready()));
    const index = await put(node, 'x', 'after');
    await cluster.caughtUp(index);
    for (const each of nodes) {
      expect((await each.ask('GET /kv/x')).text).toBe('after');
      expect((await each.ask('GET /kv/refused')).status).toBe(404);
    }
  });

  it('waits no longer than it was told when the others are dead, and recovers with one of them', async () => {
    const leader = await cluster.leader();
    const [node, third] = othersOf(leader) as [ServerNode, ServerNode];
    await cluster.caughtUp(await put(leader, 'x', 'before'));

    await Promise.all([leader.kill(), third.kill()]);
    await until('it knows no leader', async () => (await node.status()).leaderId === null);
    const [read, write] = await Promise.all([
      node.ask('GET /kv/x?timeoutMs=300'),
      node.ask('PUT /kv/refused-too?timeoutMs=300', { body: 'never' }),
    ]);

    expect([read.status, read.error.code]).toEqual([503, 'RAFT_NO_LEADER']);
    expect([write.status, write.error.outcome]).toEqual([503, 'notCommitted']);
    expect((await node.ask('GET /kv/x?consistency=stale')).text).toBe('before');

    third.start();
    await Promise.all([node.ready(), third.ready()]);
    expect((await node.ask('GET /kv/x')).text).toBe('before');
    expect((await node.ask('GET /kv/refused-too')).status).toBe(404);
    expect(await put(third, 'x', 'after')).toBeGreaterThan(0);
  });
});
