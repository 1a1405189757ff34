import { raftNode } from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Index, index, plus } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { noteMachine } from './note-machine.ts';
import {
  all,
  failureOf,
  startedCluster,
  type Words,
  type WordsCluster,
  type WordsMachine,
  type WordsNode,
  wordsCluster,
  wordsMachine,
} from './words.ts';

/** Virtual time is short, and machines are slow. */
vi.setConfig({ testTimeout: 60_000 });

let cluster: WordsCluster;

afterEach(() => cluster.close());

async function started(options: Parameters<typeof wordsCluster>[0] = {}) {
  const parts = await startedCluster(options);
  cluster = parts.cluster;
  return { leader: parts.leader, follower: parts.followers[0] as WordsNode };
}

/** Writes from every node until told to stop; gives what was acknowledged. */
function writing(): { stop: () => Promise<readonly string[]> } {
  const acknowledged: string[] = [];
  let isStopping = false;
  const loops = cluster.ids.map(async (id) => {
    for (let at = 0; !isStopping; at++) {
      const word = `${id}-${at}`;
      const node = cluster.nodes.find((candidate) => candidate.id === id) ?? cluster.nodes[0];
      await node?.write(word, { timeoutMs: 1000 }).then(
        () => acknowledged.push(word),
        () => {},
      );
      await new Promise<void>((resolve) => cluster.scheduler.schedule(() => resolve(), 10));
    }
  });
  return {
    async stop() {
      isStopping = true;
      await cluster.settle(Promise.all(loops), 120_000);
      return acknowledged;
    },
  };
}

async function everywhere(): Promise<Words[]> {
  const leader = await cluster.leader();
  const { index } = await cluster.settle(leader.write('last'));
  const reads = cluster.nodes.map((node) =>
    node.read(all, { consistency: 'session', index, timeoutMs: 60_000 }),
  );
  return (await cluster.settle(Promise.all(reads), 60_000)).map(({ value }) => value as Words);
}

describe.each(['kill', 'losePower'] as const)(
  'a cluster whose nodes end with %s, one after the other',
  (end) => {
    it.each([1, 2, 3])(
      'loses nothing that was acknowledged, and no word comes twice (seed %i)',
      async (seed) => {
        await started({ seed });
        const writes = writing();
        await cluster.run(300);
        for (const id of cluster.ids) {
          cluster[end](id);
          await cluster.run(1500);
          await cluster.start(id);
          await cluster.run(1500);
        }

        const acknowledged = await writes.stop();
        const copies = await everywhere();

        expect(acknowledged.length).toBeGreaterThan(100);
        for (const copy of copies) {
          expect(copy).toEqual(copies[0]);
          expect(new Set(copy).size).toBe(copy.length);
          expect(copy).toEqual(expect.arrayContaining([...acknowledged]));
        }
      },
    );

    it('loses nothing when all end at once', async () => {
      await started();
      const writes = writing();
      await cluster.run(500);
      for (const id of cluster.ids) cluster[end](id);
      await cluster.run(100);
      await cluster.startAll();

      const acknowledged = await writes.stop();
      const copies = await everywhere();

      expect(acknowledged.length).toBeGreaterThan(10);
      for (const copy of copies) expect(copy).toEqual(expect.arrayContaining([...acknowledged]));
    });
  },
);

describe('a node that starts again on its disk', () => {
  it('knows its cluster without being told, and counts its starts', async () => {
    const { leader, follower } = await started();
    await cluster.settle(leader.write('before'));
    await cluster.stop(follower.id);

    const again = await cluster.start(follower.id, { members: [] });

    const { value } = await cluster.settle(again.read(all));
    expect(value).toEqual(['before']);
    expect(again.status()).toMatchObject({
      clusterId: leader.status().clusterId,
      storeId: `store-of-${follower.id}`,
    });
    expect(again.status().members.map(({ id }) => id)).toEqual(cluster.ids);
  });

  it('goes on with the data of a machine in its store, and applies nothing twice', async () => {
    const logs = new Map<string, string[]>(['n1', 'n2', 'n3'].map((id) => [id, []]));
    const { leader } = await started({ machine: (id) => noteMachine(logs.get(id) as string[]) });
    for (const word of ['a', 'b', 'c']) await cluster.settle(leader.write(word));
    await cluster.run(1000);
    for (const id of cluster.ids) await cluster.stop(id);
    for (const log of logs.values()) log.length = 0;

    await cluster.startAll();
    await cluster.settle((await cluster.leader()).write('d'));
    await cluster.run(1000);

    for (const node of cluster.nodes) {
      expect(logs.get(node.id)).toEqual(['d']);
      expect((await node.read(all, { consistency: 'stale' })).value).toEqual(['a', 'b', 'c', 'd']);
    }
  });

  it('flushes a machine in its store by itself when nothing else is written', async () => {
    const { leader } = await started({ machine: () => noteMachine([]) });
    const { index } = await cluster.settle(leader.write('a'));
    await cluster.run(1000);

    for (const id of cluster.ids) expect(cluster.disk(id).image.machine.index).toBe(index);
  });

  it('gives a machine with a storage of its own each entry once, and only what its disk holds', async () => {
    const logs = new Map(['n1', 'n2', 'n3'].map((id) => [id, { words: [] as string[], applied: index(0) }]));
    const holders: boolean[] = [];
    const machine = (id: string): WordsMachine => {
      const own = logs.get(id) as { words: string[]; applied: Index };
      return {
        ...wordsMachine(),
        keeps: 'own',
        open: () => own.applied,
        apply: async (commands, at) => {
          const last = plus(at.index, commands.length - 1);
          holders.push(cluster.disk(id).image.log.lastIndex >= last);
          own.applied = last;
          return commands.map((command) => own.words.push(command));
        },
      };
    };
    cluster = wordsCluster({ machine, flushDelayMs: 15, node: { timeoutMs: 2000 } });
    await cluster.startAll();
    for (const word of ['a', 'b', 'c']) await cluster.settle((await cluster.leader()).write(word));
    for (const id of cluster.ids) cluster.losePower(id);
    await cluster.startAll();
    const leader = await cluster.leader();
    await cluster.run(200);
    cluster.disk(leader.id).plan({ type: 'delay', delayMs: 200 }); // Committed by the others meanwhile.
    await cluster.settle(leader.write('d', { timeoutMs: 400 }));
    await cluster.run(1000);

    for (const { words } of logs.values()) expect(words).toEqual(['a', 'b', 'c', 'd']);
    expect(holders).not.toContain(false);
    expect(holders.length).toBe(12);
  });

  it('refuses the store of another node', async () => {
    await started();
    await cluster.stop('n2');
    const storage = memoryStorage({ disk: cluster.disk('n2') });
    const machine = noteMachine([]);

    const starting = raftNode({ id: 'n9', machine, storage });

    await expect(cluster.settle(starting)).rejects.toMatchObject({ code: 'RAFT_STORE_OTHER_NODE' });
    await cluster.start('n2'); // It had been let go of.
  });
});

describe('a follower whose log is overwritten after a restart', () => {
  it('applies what the leader has, not what its disk still holds', async () => {
    const { leader } = await started();
    await cluster.settle(leader.write('before'));
    cluster.network.partition([[leader.id], cluster.ids.filter((id) => id !== leader.id)]);
    const lost = Array.from({ length: 5 }, (_, at) => failureOf(leader.write(`lost ${at}`)));
    await cluster.run(20); // On its disk, and nowhere else.
    cluster.kill(leader.id);
    await Promise.all(lost);
    const successor = await cluster.leader();
    for (const word of ['x', 'y', 'z']) await cluster.settle(successor.write(word));

    cluster.network.heal();
    cluster.disk(leader.id).plan({ type: 'delay', delayMs: 300 }, 3); // While the truncation is on its way.
    const again = await cluster.start(leader.id);
    const { index } = await cluster.settle(successor.write('after'));
    const read = again.read(all, { consistency: 'session', index, timeoutMs: 60_000 });

    expect((await cluster.settle(read, 60_000)).value).toEqual(['before', 'x', 'y', 'z', 'after']);
  });
});

describe('the founding of a cluster', () => {
  it('waits until every member is there', async () => {
    cluster = wordsCluster();
    await cluster.start('n1');
    await cluster.start('n2');
    await cluster.run(5000);
    expect(cluster.nodes.map((node) => node.status().clusterId)).toEqual([null, null]);
    expect(cluster.node('n1').explain()[0]?.text).toContain('every founding member must be up');

    await cluster.start('n3');

    await cluster.leader();
    const ids = cluster.nodes.map((node) => node.status().clusterId);
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(ids).size).toBe(1);
  });

  it('refuses different lists, shows both, and goes on when they agree', async () => {
    cluster = wordsCluster();
    const warnings: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn: (_facts: object, message: string) => void warnings.push(message),
      error() {},
    };
    await cluster.start('n1', { logger });
    await cluster.start('n2');
    await cluster.start('n3', { members: cluster.members.slice(1) });
    await cluster.run(5000);

    expect(cluster.nodes.map((node) => node.status().clusterId)).toEqual([null, null, null]);
    const explained = cluster.nodes.flatMap((node) => node.explain().map(({ text }) => text)).join('\n');
    expect(explained).toMatch(
      /belongs to no cluster yet: n\d refuses it, since .* was started with --members/,
    );
    const refusal = warnings.find((message) => message.includes('n3')) ?? '';
    expect(refusal).toContain('--members n2=ws://n2.test:7100,n3=ws://n3.test:7100,');
    expect(refusal).toContain('with n1=ws://n1.test:7100,n2=ws://n2.test:7100,n3=ws://n3.test:7100;');

    await cluster.stop('n3');
    await cluster.start('n3');
    await cluster.leader();
  });

  it('is finished by the others when the founder is killed in the middle', async () => {
    cluster = wordsCluster({ flushDelayMs: 5 });
    await cluster.start('n1');
    await cluster.start('n2');
    const third = cluster.start('n3');
    await cluster.settle(third);
    await cluster.until(() => cluster.nodes.some((node) => node.status().clusterId !== null));
    cluster.kill('n1');
    await cluster.run(200);
    await cluster.start('n1');

    await cluster.leader();
    await cluster.until(() => new Set(cluster.nodes.map((node) => node.status().clusterId)).size === 1);
  });
});
