import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RaftNodeOptions } from '../../../src/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { all, failureOf, type WordsCluster, type WordsNode, wordsCluster } from './words.ts';

vi.setConfig({ testTimeout: 60_000 });

let cluster: WordsCluster;

afterEach(() => cluster.close());

const oldUrl = (id: string) => `ws://${id}.test:7100`;
const newUrl = (id: string) => `ws://${id}.test:7200`;

/** Founders with a leader that have written a word; n4 has not started. */
async function founded(...founders: string[]): Promise<WordsNode> {
  cluster = wordsCluster({ ids: [...founders, 'n4'] });
  for (const id of founders) await cluster.start(id, { members: listed(oldUrl, ...founders) });
  const leader = await leading();
  await cluster.settle(leader.write('a'));
  await cluster.run(1000);
  return leader;
}

const listed = (urlOf: (id: string) => string, ...ids: string[]) => ids.map((id) => ({ id, url: urlOf(id) }));

async function leading(): Promise<WordsNode> {
  const find = () => cluster.nodes.find((node) => node.status().role === 'leader');
  await cluster.until(() => (find()?.status().commitIndex ?? 0) > 0);
  return find() as WordsNode;
}

function startElsewhere(
  id: string,
  more: Partial<RaftNodeOptions<string, number, (words: readonly string[]) => unknown, unknown>> = {},
): Promise<WordsNode> {
  return cluster.start(id, { transport: cluster.network.transport(newUrl(id)), ...more });
}

const moveOf = (id: string, url = newUrl(id)) => ({ type: 'move', id, url }) as const;

/** As an operator does it: the address first, then the node. */
async function move(id: string): Promise<void> {
  const other = cluster.nodes.find((node) => node.id !== id) as WordsNode;
  await cluster.settle(other.changeMembers([moveOf(id)]));
  await cluster.stop(id);
  await startElsewhere(id);
  await cluster.run(3000);
}

const linkOf = (node: WordsNode, id: string) => node.status().links.find((link) => link.id === id);

describe('a cluster whose members have moved', () => {
  it('takes in a new node, whose founding lists them where they were', async () => {
    await founded('n1', 'n2', 'n3');
    for (const id of ['n1', 'n2', 'n3']) await move(id);

    const added = await cluster.start('n4', { members: [] });
    const add = { type: 'add', id: 'n4', url: oldUrl('n4') } as const;
    await cluster.settle(cluster.node('n1').changeMembers([add]));

    expect((await cluster.settle(added.read(all))).value).toEqual(['a']);
  });

  it('catches up a member that was down meanwhile', async () => {
    await founded('n1', 'n2', 'n3');
    await cluster.stop('n3');
    for (const id of ['n1', 'n2']) await move(id);
    await cluster.settle(cluster.node('n1').write('b'));

    const back = await cluster.start('n3');

    expect((await cluster.settle(back.read(all))).value).toEqual(['a', 'b']);
  });

  it.each([0, 1])('dials at its new address who comes back there, follower %i', async (at) => {
    const leader = await founded('n1', 'n2', 'n3');
    const { id } = cluster.nodes.filter((node) => node !== leader)[at] as WordsNode;

    await move(id);

    for (const node of cluster.nodes)
      if (node.id !== id) expect(linkOf(node, id)).toMatchObject({ url: newUrl(id), isOutgoingOpen: true });
  });

  it.each(['leader', 'follower'])(
    'keeps its leader and its connections while its %s is moved',
    async (which) => {
      const leader = await founded('n1', 'n2');
      const { term } = leader.status();
      const moved =
        which === 'leader' ? leader : (cluster.nodes.find((node) => node !== leader) as WordsNode);

      await cluster.settle(leader.changeMembers([moveOf(moved.id, 'ws://slip.test:1')]));
      await cluster.run(5000);
      const { index } = await cluster.settle(leader.write('b'));

      expect([index, leader.status().term]).toEqual([4, term]);
    },
  );

  it('finds a member that was moved by mistake also after all have started again', async () => {
    const leader = await founded('n1', 'n2');
    await cluster.settle(leader.changeMembers([moveOf('n1', 'ws://slip.test:1')]));
    for (const id of ['n1', 'n2']) await cluster.stop(id);

    for (const id of ['n1', 'n2']) await cluster.start(id, { members: [] });
    const { result } = await cluster.settle(cluster.node('n1').write('b'));
    await cluster.settle(cluster.node('n1').changeMembers([moveOf('n1', oldUrl('n1'))]));

    expect(result).toBe(2);
  });
});

describe('a cluster whose nodes start at other addresses than it lists', () => {
  it.each([2, 3])(
    'finds %i of its three members where --members says, and moves them there',
    async (count) => {
      await founded('n1', 'n2', 'n3');
      for (const id of ['n1', 'n2', 'n3']) await cluster.stop(id);
      const moved = ['n1', 'n2', 'n3'].slice(0, count);
      const members = [...listed(newUrl, ...moved), ...listed(oldUrl, ...['n3'].slice(count - 2))];

      for (const { id, url } of members)
        await cluster.start(id, { members, transport: cluster.network.transport(url) });
      await cluster.settle(cluster.node('n3').write('b'));
      await cluster.settle(cluster.node('n3').changeMembers(moved.map((id) => moveOf(id))));

      expect(
        cluster
          .node('n3')
          .status()
          .members.map(({ url }) => url),
      ).toEqual(members.map(({ url }) => url));
    },
  );

  it('still goes by the stored members for who is one', async () => {
    await founded('n1', 'n2', 'n3');
    await cluster.stop('n1');

    await cluster.start('n1', { members: listed(newUrl, 'n1', 'n4') });

    expect(
      cluster
        .node('n1')
        .status()
        .links.map(({ id }) => id),
    ).toEqual(['n2', 'n3']);
  });
});

describe('a member that is replaced at another address', () => {
  it.each(['dead', 'alive'])('is asked for its store there, the old one being %s', async (old) => {
    const leader = await founded('n1', 'n2', 'n3');
    const { id } = cluster.nodes.find((node) => node !== leader) as WordsNode;
    const replaced = cluster.node(id);
    if (old === 'dead') cluster.kill(id);
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    await startElsewhere(id, { storage: memoryStorage({ disk }), members: [] });
    await cluster.run(1000);

    const add = { type: 'add', id, url: newUrl(id) } as const;
    await cluster.settle(leader.changeMembers([{ type: 'remove', id }, add]));
    if (old === 'alive') await cluster.settle(replaced.close());

    expect((await cluster.settle(cluster.node(id).read(all))).value).toEqual(['a']);
  });

  it('is not taken for the one where it was, which is needed there until the other answers', async () => {
    const leader = await founded('n1', 'n2', 'n3');
    const { id } = cluster.nodes.find((node) => node !== leader) as WordsNode;
    const { term } = leader.status();

    const add = { type: 'add', id, url: newUrl(id) } as const;
    const failing = failureOf(leader.changeMembers([{ type: 'remove', id }, add]));

    expect(await cluster.settle(failing)).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'notCommitted' });
    await cluster.until(() => linkOf(leader, id)?.isOutgoingOpen === true);
    expect([linkOf(leader, id)?.url, leader.status().term]).toEqual([oldUrl(id), term]);
  });
});

describe('a store that was replaced, and still runs under its old name', () => {
  /** n3 has been replaced by another store at another address, and runs again with both. */
  async function replaced(founders: readonly string[], before: () => void = () => {}) {
    const leader = await founded(...founders);
    if (leader.id !== 'n1') await cluster.settle(leader.transferLeadership('n1'));
    await cluster.until(() => cluster.node('n1').status().role === 'leader');
    await cluster.run(1000);
    const old = cluster.node('n3');
    before();
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const storage = memoryStorage({ disk });
    const taker = await startElsewhere('n3', { storage, members: [] });
    const add = { type: 'add', id: 'n3', url: newUrl('n3') } as const;
    await cluster.settle(cluster.node('n1').changeMembers([{ type: 'remove', id: 'n3' }, add]));
    const isVoter = () =>
      taker.status().members.some(({ storeId, role }) => storeId === 'another' && role === 'voter');
    await cluster.until(isVoter);
    await cluster.run(500);
    return { old, taker };
  }

  it('does not cut off the one that has its place', async () => {
    const { old, taker } = await replaced(['n1', 'n2', 'n3']);
    await cluster.settle(old.close());
    const again = await cluster.start('n3', { transport: cluster.network.transport(oldUrl('n3')) });
    await cluster.run(3000);
    cluster.kill('n2');
    const written = cluster.node('n1').write('b', { timeoutMs: 20_000 });
    await cluster.settle(written);
    const { term } = taker.status();

    for (let count = 0; count < 20; count++) {
      await cluster.settle(cluster.node('n1').write('c'));
      await cluster.run(500);
    }

    expect(taker.status().term).toBe(term);
    await cluster.settle(Promise.all([again.close(), taker.close()]));
  });

  it('does not keep a node that has not heard of it from the one that has its place', async () => {
    const { old, taker } = await replaced(['n1', 'n2', 'n3', 'n5'], () => {
      for (const id of ['n1', 'n5']) {
        cluster.network.cut('n2', id);
        cluster.network.cut(id, 'n2');
      }
    });

    cluster.kill('n1'); // Of n2, n5 and the new n3 each is needed, and n2 reaches n3 alone: the old one, as far as it knows.
    await cluster.until(() => taker.status().leaderId !== 'n1');
    const written = taker.write('b', { timeoutMs: 25_000 });

    expect((await cluster.settle(written)).result).toBe(2);
    await cluster.settle(Promise.all([old.close(), taker.close()]));
  });
});
