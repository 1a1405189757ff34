import { describe, expect, it } from 'vitest';
import { clusterOfTest } from './harness/cluster.ts';
import { storedOn } from './harness/http.ts';
import { Load, missing } from './harness/load.ts';

const keyCount = 10_000;

describe('three processes under load', () => {
  it('lose nothing acknowledged, neither with their leader nor when all are killed', async () => {
    const cluster = clusterOfTest();
    const nodes = await cluster.found(['n1', 'n2', 'n3']);

    // The leader is killed while 64 clients write; the others go on without it, and it comes back.
    const load = new Load({ nodes, prefix: 'key-', count: keyCount, outstanding: 64 });
    await load.reaches(keyCount / 4);
    const leader = await cluster.leader();
    const termBefore = (await leader.status()).term;
    await leader.kill();
    const atDeath = load.acknowledged.size;
    const survivors = nodes.filter((node) => node !== leader);
    const successor = await cluster.leader();
    await load.reaches(atDeath + 500);

    expect(survivors).toContain(successor);
    expect((await successor.status()).term).toBeGreaterThan(termBefore);

    leader.start();
    await load.ended;
    await cluster.caughtUp(load.lastIndex);

    expect(load.acknowledged.size).toBe(keyCount);
    for (const node of nodes)
      expect(missing(load.acknowledged, await storedOn(node.url, 'key-'))).toEqual([]);
    console.log(`${keyCount} keys; refused on the way: ${JSON.stringify(load.refusals)}`);

    // All are killed at once, again while clients write.
    const late = new Load({ nodes, prefix: 'late-', count: keyCount, outstanding: 64 });
    await late.reaches(500);
    await Promise.all(nodes.map((node) => node.kill()));
    late.stop();
    await late.ended;
    for (const node of nodes) node.start();
    await Promise.all(nodes.map((node) => node.ready()));
    await cluster.caughtUp(Math.max(load.lastIndex, late.lastIndex));

    for (const node of nodes) {
      expect(missing(load.acknowledged, await storedOn(node.url, 'key-'))).toEqual([]);
      expect(missing(late.acknowledged, await storedOn(node.url, 'late-'))).toEqual([]);
    }
    const single = await nodes[0]?.ask('GET /kv/key-000007?consistency=stale');
    expect(single?.text).toBe(load.acknowledged.get('key-000007'));
  });
});
