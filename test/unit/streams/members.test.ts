import { afterEach, describe, expect, it, vi } from 'vitest';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { all, failureOf, type WordsCluster, type WordsNode, wordsCluster } from './words.ts';

vi.setConfig({ testTimeout: 60_000 });

let cluster: WordsCluster;

afterEach(() => cluster.close());

const urlOf = (id: string) => `ws://${id}.test:7100`;
const founders = ['n1', 'n2', 'n3'];

/** Three founders with a leader; n4 and n5 have not started. */
async function founded(options: Parameters<typeof wordsCluster>[0] = {}): Promise<WordsNode> {
  cluster = wordsCluster({ ids: [...founders, 'n4', 'n5'], ...options });
  const members = cluster.members.slice(0, 3);
  for (const id of founders) await cluster.start(id, { members });
  return leading();
}

const join = (id: string) => cluster.start(id, { members: [] });

/** The node that leads, once there is one. */
async function leading(): Promise<WordsNode> {
  const find = () => cluster.nodes.find((node) => node.status().role === 'leader');
  await cluster.until(() => (find()?.status().commitIndex ?? 0) > 0);
  return find() as WordsNode;
}

const votersOf = (node: WordsNode) =>
  node.status().members.flatMap(({ id, role }) => (role === 'voter' ? [id] : []));

const untilVoters = (...ids: string[]) =>
  cluster.until(() =>
    cluster.nodes.some((node) => node.status().role === 'leader' && `${votersOf(node)}` === `${ids}`),
  );

describe('a cluster that is told to change its members', () => {
  it('takes a new node in, which learns, then votes and serves reads', async () => {
    const leader = await founded();
    await cluster.settle(leader.write('a'));
    const added = await join('n4');

    await cluster.settle(cluster.node('n2').changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4') }]));
    await untilVoters('n1', 'n2', 'n3', 'n4');

    expect((await cluster.settle(added.read(all))).value).toEqual(['a']);
    expect((await cluster.settle(added.write('b'))).result).toBe(2);
  });

  it('keeps a learner a learner until it is promoted, and a demoted voter one', async () => {
    const leader = await founded();
    const added = await join('n4');

    await cluster.settle(
      leader.changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4'), role: 'learner' }]),
    );
    await cluster.run(2000);
    expect(added.status().role).toBe('learner');
    await cluster.settle(leader.changeMembers([{ type: 'promote', id: 'n4' }]));
    await untilVoters('n1', 'n2', 'n3', 'n4');
    await cluster.settle(leader.changeMembers([{ type: 'demote', id: 'n4' }]));

    expect(votersOf(leader)).toEqual(founders);
  });

  it('replaces several at once', async () => {
    const first = await founded();
    await cluster.settle(first.write('a'));
    await join('n4');
    await join('n5');
    const [old, other] = founders.filter((id) => id !== first.id) as [string, string];

    await cluster.settle(
      first.changeMembers([
        { type: 'add', id: 'n4', url: urlOf('n4') },
        { type: 'add', id: 'n5', url: urlOf('n5') },
        { type: 'remove', id: old },
        { type: 'remove', id: other },
      ]),
    );
    await untilVoters(first.id, 'n4', 'n5');
    cluster.kill(old);
    cluster.kill(other);

    expect((await cluster.settle(cluster.node('n5').write('b'))).result).toBe(2);
  });

  it('lets a leader go that is removed: it hands over', async () => {
    const leader = await founded();
    await cluster.run(200); // Both others have answered it.
    await cluster.settle(leader.changeMembers([{ type: 'remove', id: leader.id }]));

    await cluster.until(() => leader.status().role !== 'leader', 1000);
    const next = await leading();

    expect(votersOf(next)).toEqual(founders.filter((id) => id !== leader.id));
    expect((await cluster.settle(next.write('a'))).result).toBe(1);
  });

  it.each(['the leader', 'the follower itself'])(
    'says that it is done where a follower is asked to remove %s, though that ends the connection',
    async (who) => {
      for (let seed = 1; seed <= 5; seed++) {
        const leader = await founded({ seed });
        const follower = cluster.nodes.find((node) => node !== leader) as WordsNode;
        const id = who === 'the leader' ? leader.id : follower.id;

        await cluster.settle(follower.changeMembers([{ type: 'remove', id }]));

        await untilVoters(...founders.filter((other) => other !== id));
        await cluster.close();
      }
    },
  );

  it('takes a node back that it has removed, and that still runs', async () => {
    const leader = await founded();
    const added = await join('n4');
    const add = { type: 'add', id: 'n4', url: urlOf('n4') } as const;
    await cluster.settle(leader.changeMembers([add]));
    await untilVoters('n1', 'n2', 'n3', 'n4');
    await cluster.run(2000);
    await cluster.settle(leader.changeMembers([{ type: 'remove', id: 'n4' }]));
    await cluster.run(2000);

    await cluster.settle(leader.changeMembers([add]));
    await untilVoters('n1', 'n2', 'n3', 'n4');

    expect((await cluster.settle(added.write('a'))).result).toBe(1);
  });

  it('says of a member that it is one, whichever node is asked to add it', async () => {
    await founded();
    const refusal = { code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' };

    for (const asked of cluster.nodes)
      for (const id of founders) {
        const adding = asked.changeMembers([{ type: 'add', id, url: urlOf(id) }], { timeoutMs: 500 });
        expect(await cluster.settle(failureOf(adding))).toEqual(refusal);
      }
  });

  it('says at once of a member that it is one, though nobody answers at the URL it is to be added at', async () => {
    const leader = await founded();
    const [down, asked] = founders.filter((id) => id !== leader.id) as [string, string];
    cluster.kill(down);
    const elsewhere = 'ws://elsewhere.test:1';

    for (const [id, url, words] of [
      [down, elsewhere, /at ws:.*move it .*elsewhere.*remove it first/],
      [down, urlOf(down), /at that very URL: remove it first/],
      [leader.id, elsewhere, /at ws:.*move it/],
      [asked, elsewhere, /at ws:.*move it/],
    ] as const)
      for (const node of [leader, cluster.node(asked)]) {
        const adding = node.changeMembers([{ type: 'add', id, url }], { timeoutMs: 60_000 });
        const message = adding.catch((error: Error) => error.message);
        const refusal = await cluster.settle(failureOf(adding), 5_000);
        expect(refusal).toEqual({ code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' });
        expect(await message).toMatch(new RegExp(`^${id} is a member already, ${words.source}`));
      }
  });

  it('says where a member is that asks with its store to be added elsewhere', async () => {
    const leader = await founded();
    const id = founders.find((each) => each !== leader.id) as string;
    const { storeId } = cluster.node(id).status();
    const add = { type: 'add', id, storeId, url: 'ws://elsewhere.test:1' } as const;

    const message = leader.changeMembers([add]).catch((error: Error) => error.message);

    expect(await cluster.settle(message)).toMatch(/at ws:.*move it/);
  });

  it('adds a node by way of a member that has not heard yet that it was removed', async () => {
    const leader = await founded();
    await join('n4');
    await cluster.settle(leader.changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4') }]));
    await untilVoters('n1', 'n2', 'n3', 'n4');
    await cluster.run(500); // That change is complete before the next one.
    const [id, late] = founders.filter((each) => each !== leader.id) as [string, string];
    const asked = cluster.node(late);
    cluster.network.partition([[late], ['n1', 'n2', 'n3', 'n4'].filter((each) => each !== late)]);
    await cluster.settle(leader.changeMembers([{ type: 'remove', id }]));
    cluster.kill(id);
    const url = 'ws://elsewhere.test:1';
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const transport = cluster.network.transport(url);
    await cluster.start(id, { storage: memoryStorage({ disk }), transport, members: [] });
    expect(votersOf(asked)).toContain(id);

    cluster.network.heal();
    await cluster.settle(asked.changeMembers([{ type: 'add', id, url }]));
    await cluster.until(() => votersOf(leader).includes(id));

    expect(votersOf(leader)).toHaveLength(4);
  });

  it('does not take a node for a member that is just being removed', async () => {
    const leader = await founded();
    const id = founders.find((each) => each !== leader.id) as string;
    cluster.kill(id);
    const url = 'ws://elsewhere.test:1';
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const transport = cluster.network.transport(url);

    const removing = leader.changeMembers([{ type: 'remove', id }]);
    await cluster.until(() => leader.status().lastIndex > leader.status().commitIndex);
    const adding = leader.changeMembers([{ type: 'add', id, url }]);
    await cluster.settle(removing);
    await cluster.start(id, { storage: memoryStorage({ disk }), transport, members: [] });
    await cluster.settle(adding);

    expect(leader.status().members).toContainEqual(expect.objectContaining({ id, url, storeId: 'another' }));
  });

  it('says in whole milliseconds how long it has asked in vain', async () => {
    const leader = await founded();

    const adding = leader.changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4') }], { timeoutMs: 100.25 });
    const message = adding.catch((error: Error) => error.message);

    expect(await cluster.settle(message)).toMatch(/^No node called n4 answered at .* within \d+ ms\./);
  });

  it('changes only the configuration that the operator has seen', async () => {
    const leader = await founded();
    await join('n4');
    const seen = { expectedIndex: 0 };
    const add = { type: 'add', id: 'n4', url: urlOf('n4'), role: 'learner' } as const;

    await cluster.settle(leader.changeMembers([add], seen));

    const late = leader.changeMembers([{ type: 'remove', id: 'n4' }], seen);
    expect((await cluster.settle(failureOf(late))).outcome).toBe('notCommitted');
  });

  it('keeps its connections whatever a follower is asked, since no leader could read it', async () => {
    const leader = await founded({ network: { encode: true } });
    const asked = cluster.nodes.find((node) => node !== leader) as WordsNode;
    const tooMany = Array.from({ length: 257 }, () => ({ type: 'remove', id: 'n9' }) as const);

    const answers = [
      asked.changeMembers([]),
      asked.changeMembers(tooMany),
      asked.transferLeadership('not a name!'),
    ].map(failureOf);
    const written = asked.write('a');

    const refused = { code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' };
    expect(await cluster.settle(Promise.all(answers))).toEqual([refused, refused, refused]);
    expect((await cluster.settle(written)).result).toBe(1);
  });

  it('reaches a member under its new address', async () => {
    const leader = await founded();
    const moved = founders.find((id) => id !== leader.id) as string;
    await cluster.stop(moved);

    await cluster.settle(leader.changeMembers([{ type: 'move', id: moved, url: 'ws://elsewhere.test:1' }]));
    const transport = cluster.network.transport('ws://elsewhere.test:1');
    const again = await cluster.start(moved, { transport });
    const { index } = await cluster.settle(leader.write('a'));

    const read = again.read(all, { consistency: 'session', index });
    expect((await cluster.settle(read)).value).toEqual(['a']);
  });

  it('refuses a wiped node under its old name, and takes it as a new one', async () => {
    const leader = await founded();
    await cluster.settle(leader.write('a'));
    const wiped = founders.find((id) => id !== leader.id) as string;
    cluster.kill(wiped);
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const again = await cluster.start(wiped, { storage: memoryStorage({ disk }), members: [] });
    await cluster.run(5000);
    expect(again.status().clusterId).toBeNull();
    expect(again.explain()).toMatchObject([
      {
        topic: 'noLeader',
        text: expect.stringMatching(/refuses it, since .*empty store.*rxraft remove.*--join/),
      },
    ]);

    await cluster.settle(
      leader.changeMembers([
        { type: 'remove', id: wiped },
        { type: 'add', id: wiped, url: urlOf(wiped) },
      ]),
      60_000,
    );
    await cluster.until(() => votersOf(leader).length === 3);

    expect((await cluster.settle(again.read(all))).value).toEqual(['a']);
  });

  it('says of a wiped node, on both sides and to its callers, what it means and what to do, until it is let in', async () => {
    const leader = await founded();
    const wiped = founders.find((id) => id !== leader.id) as string;
    cluster.kill(wiped);
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const again = await cluster.start(wiped, { storage: memoryStorage({ disk }) });
    await cluster.run(5000);
    const refused = {
      code: 'wipedStore',
      reason: expect.stringContaining('nothing committed is lost, while they are a majority'),
    };
    const remedy = new RegExp(`If its data are gone, run .rxraft remove ${wiped}. .*--join`);

    expect(again.status().refusals).toContainEqual({ id: leader.id, by: 'peer', ...refused });
    expect(leader.status().refusals).toEqual([{ id: wiped, by: 'us', ...refused }]);
    expect(leader.explain()).toContainEqual({ topic: 'membership', text: expect.stringMatching(remedy) });
    const write = cluster.settle(again.write('a', { timeoutMs: 100 }));
    await expect(write).rejects.toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'notCommitted' });
    await expect(write).rejects.toThrow(remedy);

    await cluster.stop(wiped);
    const joining = await cluster.start(wiped, { storage: memoryStorage({ disk }), members: [] });
    await cluster.settle(
      leader.changeMembers([
        { type: 'remove', id: wiped },
        { type: 'add', id: wiped, url: urlOf(wiped) },
      ]),
      60_000,
    );
    await cluster.until(() => votersOf(leader).length === 3);
    expect([...leader.status().refusals, ...joining.status().refusals]).toEqual([]);
    expect(leader.explain().filter(({ text }) => remedy.test(text))).toEqual([]);
  });

  it('says so where a wiped node is to be taken in as a new one, and was started to found a cluster', async () => {
    const leader = await founded();
    await cluster.run(1000);
    const wiped = founders.find((id) => id !== leader.id) as string;
    cluster.kill(wiped);
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const warnings: string[] = [];
    const none = () => undefined;
    const warn = (_: object, message: string) => void warnings.push(message);
    const logger = { debug: none, info: none, warn, error: none };

    const again = await cluster.start(wiped, { storage: memoryStorage({ disk }), logger });
    await cluster.settle(
      leader.changeMembers([
        { type: 'remove', id: wiped },
        { type: 'add', id: wiped, url: urlOf(wiped) },
      ]),
    );
    const isTold = () => warnings.some((warning) => /was hung up on: .* with store another/.test(warning));
    await cluster.until(isTold);

    const text = expect.stringMatching(/it refuses n\d: its founding .* unless that has been done, .*--join/);
    expect(again.explain()).toEqual([{ topic: 'noLeader', text }]);
    expect(again.status().clusterId).toBeNull();
  });

  it('says to a node that was to found a cluster, and was removed from it since, how to come back', async () => {
    const leader = await founded();
    await cluster.run(1000);
    const removed = founders.find((id) => id !== leader.id) as string;
    cluster.kill(removed);
    await cluster.settle(leader.changeMembers([{ type: 'remove', id: removed }]));
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });

    const again = await cluster.start(removed, { storage: memoryStorage({ disk }) });
    await cluster.run(5000);

    const text = expect.stringMatching(/refuses it, since .* is not a member of cluster .*--join/);
    expect(again.explain()).toEqual([{ topic: 'noLeader', text }]);
    expect(leader.explain()).toEqual([]);
  });

  it('takes a wiped node as a new one while nobody has noticed that the old one is gone', async () => {
    const leader = await founded({ network: { noticeMs: 60_000 } });
    await cluster.settle(leader.write('a'));
    const wiped = founders.find((id) => id !== leader.id) as string;
    for (const id of founders) if (id !== wiped) cluster.network.cut(id, wiped);
    cluster.kill(wiped); // The others hear nothing of it.
    cluster.network.heal();
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });
    const again = await cluster.start(wiped, { storage: memoryStorage({ disk }), members: [] });

    await cluster.settle(
      leader.changeMembers([
        { type: 'remove', id: wiped },
        { type: 'add', id: wiped, url: urlOf(wiped) },
      ]),
    );

    expect(leader.status().members.find(({ id }) => id === wiped)?.storeId).toBe('another');
    await cluster.until(() => votersOf(leader).length === 3);
    expect((await cluster.settle(again.read(all))).value).toEqual(['a']);
  });

  it('lets a node join whose leader joined later than the members that it was told of', async () => {
    const leader = await founded();
    const fourth = await join('n4');
    await cluster.settle(leader.changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4') }]));
    await untilVoters('n1', 'n2', 'n3', 'n4');
    await cluster.settle(leader.transferLeadership('n4'));
    await cluster.until(() => fourth.status().role === 'leader');
    await cluster.settle(fourth.write('a'));

    const fifth = await join('n5');
    await cluster.settle(cluster.node('n1').changeMembers([{ type: 'add', id: 'n5', url: urlOf('n5') }]));
    await untilVoters('n1', 'n2', 'n3', 'n4', 'n5');

    expect((await cluster.settle(fifth.read(all))).value).toEqual(['a']);
  });
});

describe('a cluster in which nobody is left of those that a node knows', () => {
  /** Makes n4 and n5 take the place of all founders but one, which keeps its vote and no longer runs. */
  async function replacedAllBut(): Promise<string> {
    const leader = await founded();
    await cluster.settle(leader.write('a'));
    const [left, other] = founders.filter((id) => id !== leader.id) as [string, string];
    await join('n4');
    await join('n5');
    const added = ['n4', 'n5'].map((id) => ({ type: 'add', id, url: urlOf(id) }) as const);
    cluster.kill(left);
    await cluster.settle(leader.changeMembers(added));
    await untilVoters('n1', 'n2', 'n3', 'n4', 'n5');
    await cluster.run(500); // That change is complete before the next one.
    const removed = [other, leader.id].map((each) => ({ type: 'remove', id: each }) as const);
    await cluster.settle(leader.changeMembers(removed));
    await cluster.until(() => leader.status().role !== 'leader');
    cluster.kill(leader.id);
    cluster.kill(other);
    await untilVoters(left, 'n4', 'n5');
    return left;
  }

  it('brings it up to date when it comes back', async () => {
    const id = await replacedAllBut();

    const node = await cluster.start(id);

    expect((await cluster.settle(node.read(all))).value).toEqual(['a']);
  });

  it('takes it back with an empty store, under the name that it had as a founder', async () => {
    const id = await replacedAllBut();
    const leader = await leading();
    await cluster.settle(leader.changeMembers([{ type: 'remove', id }]));
    const disk = memoryDisk({ scheduler: cluster.scheduler, flushDelayMs: 1, storeId: 'another' });

    const node = await cluster.start(id, { storage: memoryStorage({ disk }), members: [] });
    await cluster.settle(leader.changeMembers([{ type: 'add', id, url: urlOf(id) }]));

    await untilVoters('n4', 'n5', id);
    expect((await cluster.settle(node.read(all))).value).toEqual(['a']);
  });
});

describe('a founder that comes back with a new store', () => {
  it('learns from a leader that joined later than the founding that it is given', async () => {
    await founded();
    const later = await join('n4');
    await cluster.settle(cluster.node('n2').changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4') }]));
    await untilVoters('n1', 'n2', 'n3', 'n4');
    await cluster.until(() => cluster.nodes.every((node) => node.status().members.length === 4));
    const leader = await leading();
    if (leader !== later) await cluster.settle(leader.transferLeadership('n4'));
    await cluster.until(() => later.status().role === 'leader');
    await cluster.settle(later.write('a'));
    cluster.kill('n1');
    const storage = memoryStorage({ disk: memoryDisk({ scheduler: cluster.scheduler, storeId: 'new' }) });
    await cluster.settle(later.changeMembers([{ type: 'remove', id: 'n1' }]));

    const again = await cluster.start('n1', { members: [], storage });
    await cluster.settle(later.changeMembers([{ type: 'add', id: 'n1', url: urlOf('n1') }]));

    await cluster.until(() => votersOf(later).length === 4);
    await cluster.until(() => again.status().lastApplied === later.status().lastApplied);
  });
});

describe('a change that would leave the cluster with a member nobody can speak of', () => {
  const add = { type: 'add', id: 'n4', url: urlOf('n4'), storeId: 's4', role: 'learner' } as const;
  it.each([
    ['a name with a slash', { ...add, id: 'eu/db-4' }],
    ['a long name', { ...add, id: 'n'.repeat(65) }],
    ['a store id with a space', { ...add, storeId: 's 4' }],
    ['a URL with a fragment', { ...add, url: 'ws://n4.test:7100#x' }],
    ['a long URL', { ...add, url: `ws://${'n'.repeat(510)}` }],
    ['a move to a URL with a fragment', { type: 'move', id: 'n2', url: 'ws://n2.test:7100#x' } as const],
    ['the removal of what can be no name', { type: 'remove', id: 'n 2' } as const],
  ])('is refused wherever it is asked for: %s', async (_what, change) => {
    const leader = await founded();
    const { lastIndex } = leader.status();

    for (const node of cluster.nodes) {
      const error = await cluster.settle(failureOf(node.changeMembers([change])));

      expect(error).toEqual({ code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' });
    }
    expect(leader.status().lastIndex).toBe(lastIndex);
  });
});

describe('a request of an operator that makes no sense', () => {
  const remove = { type: 'remove', id: 'n9' } as const;
  it.each<[string, (node: WordsNode) => Promise<void>]>([
    ['no change', (node) => node.changeMembers([])],
    ['no list', (node) => node.changeMembers(null as never)],
    ['257 changes', (node) => node.changeMembers(Array.from({ length: 257 }, () => remove))],
    ['a change that is none', (node) => node.changeMembers([undefined as never])],
    ['a list with holes', (node) => node.changeMembers(new Array(2))],
    ['a change of another kind', (node) => node.changeMembers([{ type: 'rename', id: 'n2' } as never])],
    [
      'another role',
      (node) =>
        node.changeMembers([{ type: 'add', id: 'n4', url: urlOf('n4'), storeId: 's4', role: 'x' as never }]),
    ],
    ['a negative index', (node) => node.changeMembers([remove], { expectedIndex: -1 })],
    ['no index at all', (node) => node.changeMembers([remove], { expectedIndex: null as never })],
    ['an index that is none', (node) => node.changeMembers([remove], { expectedIndex: '1' as never })],
    ['a transfer to what can be no name', (node) => node.transferLeadership('n 2')],
    ['a transfer to nobody', (node) => node.transferLeadership('')],
    ['a transfer to a long name', (node) => node.transferLeadership('n'.repeat(513))],
    ['a transfer to a number', (node) => node.transferLeadership(2 as never)],
    ['a transfer to a name that nobody can have any more', (node) => node.transferLeadership('eu/db-4')],
  ])('is refused wherever it is made: %s', async (_what, ask) => {
    await founded();

    for (const node of cluster.nodes) {
      const error = await cluster.settle(failureOf(ask(node)));

      expect(error).toEqual({ code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' });
    }
  });
});

describe('a new member that does not answer', () => {
  const absent = [{ type: 'add', id: 'n4', url: urlOf('n4') }] as const;

  it('is waited for until the time limit', async () => {
    const leader = await founded();

    const change = failureOf(leader.changeMembers(absent, { timeoutMs: 700 }));

    expect(await cluster.settle(change)).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'notCommitted' });
    expect(votersOf(leader)).toEqual(founders);
  });

  it('is given up when the caller gives up, and when the node closes', async () => {
    const leader = await founded();
    const abort = new AbortController();
    const aborted = failureOf(leader.changeMembers(absent, { signal: abort.signal }));
    const closed = failureOf(leader.changeMembers(absent));

    abort.abort();
    expect(await aborted).toEqual({ code: 'RAFT_ABORTED', outcome: 'notCommitted' });
    await cluster.stop(leader.id);
    expect(await closed).toEqual({ code: 'RAFT_CLOSED', outcome: 'notCommitted' });
  });

  it('may be asked for twice at once', async () => {
    const leader = await founded();
    const first = leader.changeMembers(absent);
    const second = failureOf(leader.changeMembers(absent));

    await join('n4');

    await cluster.settle(first);
    expect((await cluster.settle(second)).outcome).toBe('notCommitted');
  });
});

describe('leadership that is handed over', () => {
  it('goes to the voter that is named, or to any', async () => {
    const leader = await founded();
    const [to] = founders.filter((id) => id !== leader.id) as [string];

    await cluster.settle(cluster.node(to).transferLeadership(to));
    await cluster.until(() => cluster.node(to).status().role === 'leader', 500);
    await cluster.settle(cluster.node(to).transferLeadership());

    expect(cluster.node(to).status().role).toBe('follower');
  });

  it('stays where it is if the other one is no voter, or does not answer', async () => {
    const leader = await founded();
    const [to] = founders.filter((id) => id !== leader.id) as [string];
    expect((await cluster.settle(failureOf(leader.transferLeadership('n9')))).code).toBe('RAFT_BAD_REQUEST');

    cluster.network.cut(to, leader.id);
    await cluster.settle(leader.write('not there yet')); // Its acknowledgement never comes.
    const failed = await cluster.settle(failureOf(leader.transferLeadership(to)));

    expect(failed).toEqual({ code: 'RAFT_TRANSFER_FAILED', outcome: 'notCommitted' });
    expect((await cluster.settle(leader.write('still here'))).result).toBe(2);
  });

  it.each([0, 50, 100, 150, 200, 250, 300, 350, 400, 450])(
    'is what a leader does that closes: writes go on at once (after %i ms)',
    async (afterMs) => {
      const leader = await founded();
      await cluster.run(afterMs);
      const follower = cluster.nodes.find((node) => node !== leader) as WordsNode;
      await cluster.settle(leader.write('a'));
      const beganMs = cluster.scheduler.now();

      const closing = cluster.stop(leader.id);
      expect((await cluster.settle(follower.write('b'))).result).toBe(2);
      const refusedMs = cluster.scheduler.now() - beganMs;
      await closing;

      expect(refusedMs).toBeLessThan(200);
    },
  );

  it('needs the vote of the leader that closes, while the disk of the third node is slow', async () => {
    const leader = await founded();
    const [successor, third] = founders.filter((id) => id !== leader.id) as [string, string];
    await cluster.run(1000);
    for (let write = 0; write < 3; write++) cluster.disk(third).plan({ type: 'delay', delayMs: 5000 });

    const closing = cluster.stop(leader.id);
    await cluster.until(() => cluster.node(successor).status().role === 'leader', 100);

    await closing;
  });

  it('takes a leader that closes no longer than the shortest election timeout', async () => {
    const leader = await founded();
    for (const id of founders) if (id !== leader.id) cluster.network.cut(id, leader.id);
    leader.write('acknowledged by nobody').catch(() => {});
    const beganMs = cluster.scheduler.now();

    await cluster.stop(leader.id);

    expect(cluster.scheduler.now() - beganMs).toBeLessThanOrEqual(600);
  });
});

describe('explain()', () => {
  it('says that a node waits to be added', async () => {
    await founded();
    const node = await join('n4');

    expect(node.explain()).toMatchObject([{ topic: 'noLeader', text: expect.stringContaining('n4') }]);
  });

  it('has nothing to say when all is well, and says who is missing', async () => {
    const leader = await founded();
    await cluster.run(1000);
    expect(leader.explain()).toEqual([]);

    const lost = founders.find((id) => id !== leader.id) as string;
    cluster.kill(lost);
    await cluster.run(1000);

    expect(leader.explain()).toMatchObject([{ topic: 'lag', text: expect.stringContaining(lost) }]);
  });
});
