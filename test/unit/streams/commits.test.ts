import { from, lastValueFrom, Subject, take, toArray } from 'rxjs';
import { type Commit, raftNode } from 'rxraft';
import { afterEach, describe, expect, it } from 'vitest';
import { type EntryBatch, index } from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { commitsFrom } from '../../../src/streams/commit-stream.ts';
import { batchOf } from './batches.ts';
import {
  startedCluster,
  type WordsCluster,
  type WordsNode,
  type wordsCluster,
  wordsMachine,
} from './words.ts';

const clusters: WordsCluster[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function started(options: Parameters<typeof wordsCluster>[0] = {}) {
  const parts = await startedCluster(options);
  clusters.push(parts.cluster);
  return parts;
}

/** Collects what an iteration gives, until it ends. */
function collect(commits: AsyncIterable<readonly Commit<string>[]>): { words: string[]; end: Promise<void> } {
  const words: string[] = [];
  const pull = async () => {
    for await (const batch of commits) words.push(...batch.map(({ command }) => command));
  };
  return { words, end: pull() };
}

describe('commits$', () => {
  it('gives each command once, in the order of the log, the same on every node', async () => {
    const { cluster } = await started();
    const seen = cluster.nodes.map((node) => {
      const commits: Commit<string>[] = [];
      node.commits$.subscribe((commit) => commits.push(commit));
      return commits;
    });

    const writes = Array.from({ length: 300 }, (_, at) => cluster.nodes[at % 3]?.write(`w${at}`));
    await cluster.settle(Promise.all(writes));
    await cluster.run(500);

    expect(seen[0]?.length).toBe(300);
    expect(new Set(seen[0]?.map(({ command }) => command)).size).toBe(300);
    const places = seen[0]?.map((commit) => commit.index) ?? [];
    expect(places).toEqual([...places].sort((a, b) => a - b));
    for (const commits of seen) expect(commits).toEqual(seen[0]);
  });
});

describe('commits()', () => {
  it('gives history, then what comes, and ends when the node closes', async () => {
    const { cluster, leader } = await started();
    for (const word of ['a', 'b']) await cluster.settle(leader.write(word));

    const history = collect(leader.commits({ from: 1 }));
    const live = collect(leader.commits());
    await cluster.run(10);
    for (const word of ['c', 'd']) await cluster.settle(leader.write(word));
    await cluster.run(10);
    await cluster.stop(leader.id);
    await Promise.all([history.end, live.end]);

    expect(history.words).toEqual(['a', 'b', 'c', 'd']);
    expect(live.words).toEqual(['c', 'd']);
  });

  it('begins in the middle of what was written together', async () => {
    const { cluster, leader } = await started();
    const written = await cluster.settle(leader.writeAll(['a', 'b', 'c']));

    const { words, end } = collect(leader.commits({ from: written[1]?.index ?? 0 }));
    await cluster.run(10);
    await cluster.stop(leader.id);
    await end;

    expect(words).toEqual(['b', 'c']);
  });

  it('waits for an index that is yet to come', async () => {
    const { cluster, leader } = await started();
    const { index: first } = await cluster.settle(leader.write('a'));

    const { words, end } = collect(leader.commits({ from: first + 2 }));
    for (const word of ['b', 'c']) await cluster.settle(leader.write(word));
    await cluster.run(10);
    await cluster.stop(leader.id);
    await end;

    expect(words).toEqual(['c']);
  });

  it('goes on across a restart of the node, from where one was', async () => {
    const { cluster, leader } = await started();
    const words: string[] = [];
    let next = 1;
    const follow = async (node: WordsNode) => {
      for await (const commits of node.commits({ from: next })) {
        for (const commit of commits) {
          words.push(commit.command);
          next = commit.index + 1;
        }
      }
    };
    const first = follow(leader);
    for (const word of ['a', 'b']) await cluster.settle(leader.write(word));
    await cluster.run(50);
    cluster.kill(leader.id);
    await first;
    const again = await cluster.start(leader.id);
    const second = follow(again);
    const written = again.write('c', { timeoutMs: 20_000 });
    await cluster.settle(written);
    await cluster.run(1000);
    await cluster.stop(leader.id);
    await second;

    expect(words).toEqual(['a', 'b', 'c']);
  });

  it('reads from disk what is no longer in memory, and misses nothing', async () => {
    const disk = memoryDisk();
    const open = () => raftNode({ id: 'n1', machine: wordsMachine(), storage: memoryStorage({ disk }) });
    const before = await open();
    for (let at = 0; at < 20; at++) await before.write(`w${at}`);
    await before.close();
    const node = await open();
    await node.write('w20');

    const words$ = from(node.commits({ from: 1 })).pipe(take(2), toArray());
    const words = (await lastValueFrom(words$)).flat().map(({ command }) => command);

    expect(words).toEqual(Array.from({ length: 21 }, (_, at) => `w${at}`));
    await node.close();
  });

  it('ends when its signal aborts, also while it waits', async () => {
    const { cluster, leader } = await started();
    await cluster.settle(leader.write('a'));
    const stop = new AbortController();
    const { words, end } = collect(leader.commits({ from: 1, signal: stop.signal }));
    await cluster.run(10);

    stop.abort();
    await end;

    expect(words).toEqual(['a']);
    expect(await collect(leader.commits({ from: 1, signal: stop.signal })).end).toBeUndefined();
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to begin at %d', async (first) => {
    const { leader } = await started();

    expect(() => leader.commits({ from: first })).toThrow(/from is .*: the first one is 1/);
  });
});

describe('a commit stream', () => {
  function source(log: () => readonly EntryBatch[] | 'compacted', applied: () => number) {
    const applied$ = new Subject<void>();
    return {
      applied$,
      command: wordsMachine().command,
      appliedIndex: () => index(applied()),
      isClosed: () => false,
      readLog: async () => log(),
    };
  }

  it('says that what was asked for has been compacted', async () => {
    const commits = commitsFrom(
      source(
        () => 'compacted',
        () => 5,
      ),
      { from: index(1), signal: undefined },
    );

    await expect(commits.next()).rejects.toMatchObject({ code: 'RAFT_COMPACTED' });
  });

  it('gives nothing that has not been applied', async () => {
    let applied = 1;
    const batches = [batchOf(1, ['a']), batchOf(2, ['b'])];
    const parts = source(
      () => batches.filter((batch) => batch.index > applied - 1),
      () => applied,
    );
    const commits = commitsFrom(parts, { from: index(1), signal: undefined });

    expect((await commits.next()).value).toMatchObject([{ command: 'a' }]);
    const second = commits.next();
    applied = 2;
    parts.applied$.next();
    expect((await second).value).toMatchObject([{ command: 'b' }]);
  });

  it('throws rather than turn round for ever on a log that lacks what was applied', async () => {
    const commits = commitsFrom(
      source(
        () => [],
        () => 5,
      ),
      { from: index(1), signal: undefined },
    );

    await expect(commits.next()).rejects.toThrow('no batch that holds 1');
  });
});
