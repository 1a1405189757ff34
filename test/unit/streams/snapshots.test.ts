import { jsonCodec } from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Index, index, plus } from '../../../src/core/index.ts';
import type { PeerFrame, Transport } from '../../../src/transport/transport.ts';
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

vi.setConfig({ testTimeout: 60_000 });

let cluster: WordsCluster;

afterEach(() => cluster.close());

async function started(options: Parameters<typeof wordsCluster>[0] = {}) {
  const parts = await startedCluster(options);
  cluster = parts.cluster;
  return { leader: parts.leader, follower: parts.followers[0] as WordsNode };
}

async function writeAll(node: WordsNode, words: readonly string[]): Promise<void> {
  for (const word of words) await cluster.settle(node.write(word));
}

const cutOff = (id: string) => cluster.network.partition([[id], cluster.ids.filter((other) => other !== id)]);

/** Machines with a storage of their own, which outlives their nodes; they take their time to apply. */
function ownMachines(): (id: string) => WordsMachine {
  const disks = new Map<string, { words: Words; applied: Index }>();
  const codec = jsonCodec<Words>();
  return (id) => {
    const disk = disks.get(id) ?? { words: [], applied: index(0) };
    disks.set(id, disk);
    return {
      ...wordsMachine(),
      keeps: 'own',
      open: () => disk.applied,
      async apply(commands, at) {
        const results = commands.map((command) => {
          disk.words = [...disk.words, command];
          return disk.words.length;
        });
        await Promise.resolve(); // Halfway: a snapshot taken now would hold too much.
        disk.applied = plus(at.index, commands.length - 1);
        return results;
      },
      query: (select) => select(disk.words),
      snapshot: () => [codec.encode(disk.words)],
      restore(pieces, at) {
        const [piece = new Uint8Array(0)] = pieces;
        disk.words = codec.decode(piece);
        disk.applied = at;
      },
    };
  };
}

const machines = { memory: wordsMachine, store: () => noteMachine([]) };

describe.each(['memory', 'store', 'own'] as const)(
  'a cluster of machines that keep their data in %s',
  (keeps) => {
    const options = () => ({ machine: keeps === 'own' ? ownMachines() : machines[keeps] });

    it('drops the log that a snapshot covers, and starts again without it', async () => {
      const { leader } = await started(options());
      await writeAll(leader, ['a', 'b', 'c']);
      for (const node of cluster.nodes) await cluster.settle(node.snapshot());
      await writeAll(leader, ['d']);
      expect(leader.status().firstIndex).toBeGreaterThan(3);
      for (const id of cluster.ids) cluster.losePower(id);

      await cluster.startAll();
      const next = await cluster.leader();

      expect((await cluster.settle(next.read(all))).value).toEqual(['a', 'b', 'c', 'd']);
      expect((await cluster.settle(next.write('e'))).result).toBe(5);
      expect(next.status().firstIndex).toBeGreaterThan(3);
    });

    it('brings a follower that was away too long up to date with a snapshot', async () => {
      const { leader, follower } = await started(options());
      await writeAll(leader, ['a']);
      cluster.kill(follower.id);
      await writeAll(leader, ['b', 'c']);
      await cluster.settle(leader.snapshot());

      const again = await cluster.start(follower.id);
      const { index } = await cluster.settle(leader.write('d'));

      const read = again.read(all, { consistency: 'session', index, timeoutMs: 20_000 });
      expect((await cluster.settle(read)).value).toEqual(['a', 'b', 'c', 'd']);
      expect(again.status().firstIndex).toBeGreaterThan(3);
      cluster.losePower(follower.id);
      const third = await cluster.start(follower.id);
      expect((await cluster.settle(third.read(all))).value).toEqual(['a', 'b', 'c', 'd']);
    });

    it('serves reads that waited for what the snapshot brings', async () => {
      const { leader, follower } = await started(options());
      cluster.kill(follower.id);
      await writeAll(leader, ['a', 'b']);
      await cluster.settle(leader.snapshot());
      const index = leader.status().lastApplied;

      const again = await cluster.start(follower.id);
      const read = again.read(all, { consistency: 'session', index });

      expect((await cluster.settle(read)).value).toEqual(['a', 'b']);
    });
  },
);

describe('the log of a cluster', () => {
  const isCompacted = (node: WordsNode) => node.status().firstIndex > 1;

  it('is compacted every so many entries, and what lies between two snapshots stays', async () => {
    const { leader } = await started({ node: { snapshotEntries: 10 } });

    await writeAll(
      leader,
      Array.from({ length: 15 }, (_, at) => `w${at}`),
    );
    await cluster.run(500);
    expect(isCompacted(leader)).toBe(false);
    await writeAll(
      leader,
      Array.from({ length: 15 }, (_, at) => `x${at}`),
    );
    await cluster.run(500);

    for (const node of cluster.nodes) {
      expect(isCompacted(node)).toBe(true);
      expect(node.status().lastIndex - node.status().firstIndex).toBeGreaterThan(9);
    }
  });

  it('is compacted every so many bytes', async () => {
    const { leader } = await started({ node: { snapshotBytes: 5000 } });

    await writeAll(
      leader,
      Array.from({ length: 60 }, () => 'x'.repeat(1000)),
    );
    await cluster.run(500);

    for (const node of cluster.nodes) expect(isCompacted(node)).toBe(true);
    const kept = leader.status().lastIndex - leader.status().firstIndex;
    expect(kept).toBeGreaterThanOrEqual(4);
  });

  it('stays whole while the machine gives no snapshot, and the nodes go on', async () => {
    let isBroken = true;
    const machine = (): WordsMachine => {
      const words = wordsMachine();
      const snapshot = (): Iterable<Uint8Array> => {
        if (isBroken) throw new TypeError('a Map has no form');
        return words.snapshot?.() as Iterable<Uint8Array>;
      };
      return { ...words, snapshot };
    };
    const { leader } = await started({ machine, node: { snapshotEntries: 10 } });
    const words = Array.from({ length: 40 }, (_, at) => `w${at}`);
    await writeAll(leader, words);
    await cluster.run(500);
    const asked = await failureOf(cluster.settle(leader.snapshot()));
    const during = cluster.nodes.map((node) => node.status().firstIndex);

    isBroken = false;
    await cluster.run(60_000);

    expect(asked).toEqual({ code: 'RAFT_SNAPSHOT_FAILED', outcome: 'notCommitted' });
    expect(during).toEqual([1, 1, 1]);
    expect((await cluster.settle(leader.read(all))).value).toEqual(words);
    await writeAll(leader, words);
    await cluster.run(500);
    for (const node of cluster.nodes) expect(isCompacted(node)).toBe(true);
  });

  it('is not compacted for a snapshot that is none, whose second piece has no bytes', async () => {
    const pieces: unknown[] = [new Uint8Array(1), 'text'];
    const machine = (): WordsMachine => ({ ...wordsMachine(), snapshot: () => pieces as Uint8Array[] });
    const { leader } = await started({ machine });
    await writeAll(leader, ['a', 'b']);

    const request = cluster.settle(leader.snapshot());

    await expect(request).rejects.toThrow(
      /^The state machine gave no snapshot: a piece of it is string, expected a Uint8Array/,
    );
    expect((await cluster.settle(leader.write('c'))).result).toBe(3);
  });

  it('ends a commit stream that is behind it, also one that waited for news', async () => {
    const { leader, follower } = await started();
    await writeAll(leader, ['a', 'b']);
    await cluster.run(200);
    cutOff(follower.id);
    const waiting = failureOf(
      follower
        .commits({ from: follower.status().lastApplied + 1 })
        [Symbol.asyncIterator]()
        .next(),
    );
    await cluster.run(6000); // Until both ends have noticed.
    const next = await cluster.leader();
    await writeAll(next, ['c', 'd']);
    for (const node of cluster.nodes) if (node !== follower) await cluster.settle(node.snapshot());
    cluster.network.heal();

    expect(await cluster.settle(waiting)).toEqual({ code: 'RAFT_COMPACTED', outcome: 'notCommitted' });
    const late = failureOf(next.commits({ from: 1 })[Symbol.asyncIterator]().next());
    expect((await cluster.settle(late)).code).toBe('RAFT_COMPACTED');
  });
});

/** A network on which the pieces of snapshots that leave are counted. */
function counting(transport: Transport, onChunk: () => void): Transport {
  return {
    event$: transport.event$,
    open: (handshake) => transport.open(handshake),
    setPeers: (peers) => transport.setPeers(peers),
    hangUp: (id, reason) => transport.hangUp(id, reason),
    links: () => transport.links(),
    close: () => transport.close(),
    send(to, frame: PeerFrame) {
      const isSent = transport.send(to, frame);
      if (isSent && frame.type === 'snapshotChunk') onChunk();
      return isSent;
    },
  };
}

describe('a snapshot on its way', () => {
  /** Two pieces of 256 KiB hold one word. */
  const words = Array.from({ length: 40 }, (_, at) => `${at}-${'x'.repeat(200_000)}`);
  let chunks = 0;

  /** A follower that lacks a snapshot of forty pieces, and a disk that takes 25 ms for each. */
  async function lagging(): Promise<{ leader: WordsNode; id: string }> {
    chunks = 0;
    cluster = wordsCluster({ machine: () => noteMachine([]), flushDelayMs: 25, node: { timeoutMs: 20_000 } });
    for (const { id, url } of cluster.members) {
      await cluster.start(id, { transport: counting(cluster.network.transport(url), () => void chunks++) });
    }
    const leader = await cluster.leader();
    const { id } = cluster.nodes.find((node) => node !== leader) as WordsNode;
    cluster.kill(id);
    await writeAll(leader, words);
    await cluster.settle(leader.snapshot());
    return { leader, id };
  }

  async function expectAll(id: string, leader: WordsNode): Promise<void> {
    const index = leader.status().lastApplied;
    const read = cluster.node(id).read(all, { consistency: 'session', index, timeoutMs: 60_000 });
    expect((await cluster.settle(read, 60_000)).value).toEqual(words);
  }

  it('goes on where it was when the connection is cut twice, without an election', async () => {
    const { leader, id } = await lagging();
    const { term } = leader.status();
    await cluster.start(id);

    for (const reached of [10, 20]) {
      await cluster.until(() => chunks >= reached);
      cutOff(id);
      await cluster.run(6000);
      cluster.network.heal();
    }

    await expectAll(id, leader);
    expect(chunks).toBeGreaterThanOrEqual(40);
    expect(chunks).toBeLessThanOrEqual(40 + 2 * 8); // What was in the window, twice.
    expect(leader.status().term).toBe(term);
  });

  it('goes on where it was when the follower starts again', async () => {
    const { leader, id } = await lagging();
    await cluster.start(id);
    await cluster.until(() => chunks >= 20);
    cluster.losePower(id);

    await cluster.start(id);

    await expectAll(id, leader);
    expect(chunks).toBeLessThanOrEqual(40 + 8);
  });

  it('begins anew when another node leads', async () => {
    const { leader, id } = await lagging();
    await cluster.start(id);
    const [next] = cluster.nodes.filter((node) => node !== leader && node.id !== id) as [WordsNode];
    await cluster.settle(next.snapshot());
    await cluster.until(() => chunks >= 10);

    await cluster.settle(leader.transferLeadership(next.id));
    await cluster.until(() => next.status().role === 'leader');

    await expectAll(id, next);
  });

  it('arrives although frames are lost, doubled and out of order', async () => {
    const { leader, id } = await lagging();
    cluster.network.setFaults({ lossProbability: 0.1, duplicateProbability: 0.1, reorderProbability: 0.1 });

    await cluster.start(id);

    await expectAll(id, leader);
    cluster.network.setFaults({ lossProbability: 0, duplicateProbability: 0, reorderProbability: 0 });
  });
});
