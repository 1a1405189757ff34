import { describe, expect, it } from 'vitest';
import { clusterOfTest } from './harness/cluster.ts';
import type { ServerNode } from './harness/server-node.ts';

describe('a cluster that is new', () => {
  it('is founded once every declared member is up, and not before', async () => {
    const cluster = clusterOfTest();
    const nodes: ServerNode[] = [];
    for (const id of ['n1', 'n2', 'n3']) nodes.push(await cluster.addNode(id));
    const [n1, n2, n3] = nodes as [ServerNode, ServerNode, ServerNode];
    for (const node of nodes) node.setMembers(nodes);

    n1.start();
    n2.start();
    await Promise.all([n1.says('listening'), n2.says('listening')]);
    const write = await n1.ask('PUT /kv/early?timeoutMs=500', { body: 'bird' });
    const [alive, ready] = [await n1.ask('GET /livez'), await n1.ask('GET /readyz')];

    expect([write.status, write.error.code, write.error.outcome]).toEqual([
      503,
      'RAFT_NO_LEADER',
      'notCommitted',
    ]);
    expect(write.error.message).toContain('belongs to no cluster yet: every founding member must be up');
    expect([alive.status, ready.status]).toEqual([200, 503]);
    expect(ready.error.message).toMatch(/no leader is known\. n1 belongs to no cluster yet/);
    expect((await n1.status()).clusterId).toBe(null);
    expect(n1.log).toContain('founded once every declared member is up');
    await n1.says(`this node is in no cluster yet: no connection to n3 at ${n3.raftUrl}`);

    n3.start();
    await Promise.all(nodes.map((node) => node.ready()));
    const statuses = await Promise.all(nodes.map((node) => node.status()));

    expect(new Set(statuses.map(({ clusterId }) => clusterId)).size).toBe(1);
    expect(statuses[0]?.clusterId).not.toBe(null);
    expect((await n1.ask('GET /kv/early')).status).toBe(404);
  });

  it('is not founded while its nodes were given different lists, and they say so', async () => {
    const cluster = clusterOfTest();
    const [n1, n2, n3] = [
      await cluster.addNode('n1'),
      await cluster.addNode('n2'),
      await cluster.addNode('n3'),
    ];
    n1.setMembers([n1, n2]);
    n2.setMembers([n1, n2, n3]);

    for (const node of [n1, n2]) node.start();

    const lists = `${n1.raftUrl},n2=${n2.raftUrl}`;
    const both = new RegExp(
      `refused by.*${lists}.*${lists},n3.*start every founding member with the same list`,
    );
    const turned = new RegExp(
      `refused by.*${lists},n3.*${lists}.*start every founding member with the same list`,
    );
    await n1.says(new RegExp(`${both.source}|${turned.source}`));
    await n2.says(new RegExp(`${both.source}|${turned.source}`));
    expect((await n1.status()).clusterId).toBe(null);
    expect((await n2.status()).clusterId).toBe(null);

    // With one list they found it.
    await n2.stop();
    n2.setMembers([n1, n2]);
    n2.start();
    await Promise.all([n1.ready(), n2.ready()]);
    expect((await n2.ask('PUT /kv/a', { body: 'b' })).status).toBe(200);
  });
});
