import { afterEach, describe, expect, it, vi } from 'vitest';
import { all, failureOf, startedCluster, type WordsCluster, type WordsNode, wordsCluster } from './words.ts';

/** Virtual time is short, and machines are slow. */
vi.setConfig({ testTimeout: 60_000 });

let cluster: WordsCluster;

afterEach(() => cluster.close());

async function started(options: Parameters<typeof wordsCluster>[0] = {}) {
  const parts = await startedCluster(options);
  cluster = parts.cluster;
  return { leader: parts.leader, follower: parts.followers[0] as WordsNode };
}

/** Cuts a node off from all others. */
function isolate(id: string): void {
  cluster.network.partition([[id], cluster.ids.filter((other) => other !== id)]);
}

/** The leader of those that a cut leaves together. */
async function nextLeader(old: WordsNode): Promise<WordsNode> {
  const isNew = (node: WordsNode) => node !== old && node.status().role === 'leader';
  await cluster.until(() => cluster.nodes.some(isNew));
  return cluster.nodes.find(isNew) as WordsNode;
}

describe('a node cut off from the majority', () => {
  it.each(['leader', 'follower'] as const)(
    'that was %s answers no linearizable read, and stale and session reads as it can',
    async (role) => {
      const nodes = await started();
      const { index } = await cluster.settle(nodes.leader.write('before'));
      const node = nodes[role];
      await cluster.until(() => node.status().lastApplied >= index);
      isolate(node.id);

      const read = failureOf(node.read(all, { timeoutMs: 3000 }));
      const other = role === 'leader' ? await nextLeader(node) : nodes.leader;
      const later = await cluster.settle(other.write('after'));

      const { code, outcome } = await cluster.settle(read);
      expect(['RAFT_TIMEOUT', 'RAFT_NO_LEADER']).toContain(code);
      expect(outcome).toBe('notCommitted');
      expect((await node.read(all, { consistency: 'stale' })).value).toEqual(['before']);
      expect((await node.read(all, { consistency: 'session', index })).value).toEqual(['before']);
      const session = node.read(all, { consistency: 'session', index: later.index, timeoutMs: 100 });
      expect(await cluster.settle(failureOf(session))).toEqual({
        code: 'RAFT_TIMEOUT',
        outcome: 'notCommitted',
      });
    },
  );

  it('answers linearizable reads again once it is back, and the latest', async () => {
    const { leader, follower } = await started();
    isolate(follower.id);
    await cluster.settle(leader.write('meanwhile'));
    const read = follower.read(all, { timeoutMs: 20_000 });
    await cluster.run(2000);

    cluster.network.heal();

    expect((await cluster.settle(read)).value).toEqual(['meanwhile']);
  });
});

describe('a leader that is cut off', () => {
  it('ends its outstanding writes as unknown, is replaced, and converges when it is back', async () => {
    const { leader } = await started();
    await cluster.settle(leader.write('first'));
    isolate(leader.id);

    const lost = failureOf(leader.write('lost'));
    const successor = await nextLeader(leader);
    await cluster.settle(successor.write('second'));

    expect(await cluster.settle(lost)).toEqual({ code: 'RAFT_UNKNOWN_OUTCOME', outcome: 'unknown' });
    expect(leader.status().role).not.toBe('leader');
    cluster.network.heal();
    const { index } = await cluster.settle(successor.write('third'));
    await cluster.until(() => cluster.nodes.every((node) => node.status().lastApplied >= index));
    for (const node of cluster.nodes) {
      const { value } = await node.read(all, { consistency: 'stale' });
      expect(value).toEqual(['first', 'second', 'third']);
    }
  });

  it('takes new writes as waiting, which its successor carries out once it is back', async () => {
    const { leader } = await started();
    isolate(leader.id);
    await cluster.until(() => leader.status().role !== 'leader');

    const write = leader.write('patient', { timeoutMs: 60_000 });
    await nextLeader(leader);
    cluster.network.heal();

    expect((await cluster.settle(write)).result).toBe(1);
  });
});

describe('a write that was passed on', () => {
  it('is unknown when the connection to the leader breaks', async () => {
    const { leader, follower } = await started({ network: { noticeMs: 50 } });
    cluster.network.cut(follower.id, leader.id);

    const write = failureOf(follower.write('x'));

    expect(await cluster.settle(write)).toEqual({ code: 'RAFT_UNKNOWN_OUTCOME', outcome: 'unknown' });
  });

  it('is unknown at its deadline when nobody notices', async () => {
    const { leader, follower } = await started({ network: { noticeMs: 100_000 } });
    cluster.network.cut(leader.id, follower.id);

    const write = failureOf(follower.write('x', { timeoutMs: 300 }));

    expect(await cluster.settle(write)).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'unknown' });
  });

  it('is unknown when the leader is killed, and never applied twice', async () => {
    const { leader, follower } = await started();
    const writes = Array.from({ length: 20 }, (_, at) =>
      follower.write(`w${at}`, { timeoutMs: 10_000 }).then(
        () => 'committed',
        (error) => error.outcome as string,
      ),
    );
    await cluster.run(3);
    cluster.kill(leader.id);

    const outcomes = await cluster.settle(Promise.all(writes));
    const successor = await nextLeader(leader);
    const { value } = await cluster.settle(successor.read(all));

    const words = value as readonly string[];
    expect(new Set(words).size).toBe(words.length);
    outcomes.forEach((outcome, at) => {
      if (outcome === 'committed') expect(words).toContain(`w${at}`);
      if (outcome === 'notCommitted') expect(words).not.toContain(`w${at}`);
    });
  });
});

describe('a network that loses, doubles and overtakes', () => {
  it.each([1, 2, 3])(
    'has no write applied twice, and loses none that was acknowledged (seed %i)',
    async (seed) => {
      await started({ seed });
      cluster.network.setFaults({
        lossProbability: 0.05,
        duplicateProbability: 0.2,
        reorderProbability: 0.2,
        delayMsMax: 20,
      });

      const acknowledged: string[] = [];
      const refused: string[] = [];
      const writes = Array.from({ length: 90 }, async (_, at) => {
        const node = cluster.nodes[at % 3] as WordsNode;
        await node.write(`w${at}`, { timeoutMs: 3000 }).then(
          () => acknowledged.push(`w${at}`),
          (error) => error.outcome === 'notCommitted' && refused.push(`w${at}`),
        );
      });
      for (let at = 0; at < 10; at++) await cluster.run(50);
      await cluster.settle(Promise.all(writes));
      cluster.network.setFaults({ lossProbability: 0, duplicateProbability: 0, reorderProbability: 0 });
      const leader = await cluster.leader();
      const { value } = await cluster.settle(leader.read(all));

      const words = value as readonly string[];
      expect(new Set(words).size).toBe(words.length);
      expect(words).toEqual(expect.arrayContaining(acknowledged));
      expect(words.filter((word) => refused.includes(word))).toEqual([]);
      expect(acknowledged.length).toBeGreaterThan(20);
    },
  );
});

describe('the same seed', () => {
  async function transcript(seed: number): Promise<string[]> {
    const lines: string[] = [];
    const run = wordsCluster({ seed, network: { faults: { lossProbability: 0.02, delayMsMax: 9 } } });
    const say = (line: string) => lines.push(`${run.scheduler.now()} ${line}`);
    await run.startAll();
    for (const node of run.nodes) {
      node.role$.subscribe((role) => say(`${node.id} is ${role} of term ${node.status().term}`));
      node.commits$.subscribe(({ index, command }) => say(`${node.id} applied ${index} ${command}`));
    }
    const leader = await run.leader();
    for (const node of run.nodes) {
      const written = node.write(`by ${node.id}`);
      written.then(
        ({ index }) => say(`${node.id} wrote ${index}`),
        (error) => say(`${node.id} failed: ${error.code}`),
      );
    }
    await run.run(100);
    run.losePower(leader.id);
    await run.run(3000);
    await run.start(leader.id);
    await run.run(2000);
    await run.close();
    return lines;
  }

  it('gives the same run, and another one another', async () => {
    const first = await transcript(11);

    expect(first.length).toBeGreaterThan(15);
    expect(await transcript(11)).toEqual(first);
    expect(await transcript(12)).not.toEqual(first);
  });
});
