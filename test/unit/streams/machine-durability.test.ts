import { raftNode } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { type EntryBatch, index, index0, type Peer, term } from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { batchOf } from './batches.ts';
import { noteMachine } from './note-machine.ts';
import { foundedStorage, n2, n3, ScriptedPeers } from './scripted-peers.ts';
import type { WordsMachine, WordsNode } from './words.ts';
import { wordsMachine } from './words.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A follower on a disk, whose leaders say what the test says. */
async function follower(machine: WordsMachine) {
  const disk = memoryDisk({ storeId: 's1' });
  const storage = await foundedStorage(disk);
  const peers = new ScriptedPeers();
  const node: WordsNode = await raftNode({
    id: 'n1',
    machine,
    storage,
    transport: peers,
    members: [],
    electionMs: 60_000,
  });
  const say = (from: Peer, termOf: number, batches: readonly EntryBatch[], leaderCommit = 0) => {
    const prevLogIndex = index((batches[0]?.index ?? 1) - 1);
    peers.say(from, {
      type: 'raft',
      group: 0,
      message: {
        type: 'appendEntries',
        term: term(termOf),
        prevLogIndex,
        prevLogTerm: term(prevLogIndex === index0 ? 0 : termOf),
        leaderCommit: index(leaderCommit),
        batches,
        round: 0,
        isReplyDue: true,
      },
    });
  };
  const durable = async (lastIndex: number) => {
    while (disk.image.log.lastIndex < lastIndex) await turn();
    await turn();
  };
  return { disk, peers, node, say, durable };
}

describe('a machine with a storage of its own', () => {
  it('is given what replaced a durable entry only once that is durable too (rule 13)', async () => {
    const applied: string[] = [];
    const machine = wordsMachine();
    const apply: WordsMachine['apply'] = (commands, at) => {
      applied.push(...commands);
      return machine.apply(commands, at);
    };
    const { disk, node, say, durable } = await follower({ ...machine, keeps: 'own', apply });
    say(n2, 1, [batchOf(1, ['replaced'])]);
    await durable(1);

    disk.plan({ type: 'hang' });
    say(n3, 2, [batchOf(1, ['committed'], 2)], 1);
    await turn();

    expect(disk.image.batches[0]?.term).toBe(1);
    expect(applied).toEqual([]);
    disk.release();
    while (applied.length === 0) await turn();
    expect(disk.image.batches[0]?.term).toBe(2);
    await node.close();
  });
});

describe('a node that has to stop while it has applied more than its disk holds', () => {
  it('leaves no applied index on the disk without the entries that it stands for (rule 13)', async () => {
    const { disk, peers, node, say, durable } = await follower(noteMachine([]));
    say(n2, 1, [batchOf(1, ['replaced'])]);
    await durable(1);
    disk.plan({ type: 'hang' });
    say(n2, 1, [batchOf(2, ['also replaced'])]); // Its flush keeps the next one waiting.
    say(n3, 2, [batchOf(1, ['committed'], 2)], 1);
    expect(node.status().lastApplied).toBe(1);

    peers.break(new Error('no route'));
    disk.release();
    await node.closed.catch(() => {});

    const { machine, batches } = disk.image;
    expect(machine.index === 0 || batches[0]?.term === 2).toBe(true);
  });
});

describe('a machine that has applied more than the log on its disk holds', () => {
  it('is refused at the start, and told what is missing (rule 13)', async () => {
    const machine: WordsMachine = { ...wordsMachine(), keeps: 'own', open: () => index(5) };

    const storage = await foundedStorage();
    const starting = raftNode({ id: 'n1', machine, storage, transport: new ScriptedPeers(), members: [] });

    const failure = await starting.then(
      (node) => node.close(),
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: 'RAFT_STORE_DAMAGED',
      message: expect.stringContaining('has applied 5, but the log ends at 0'),
    });
    // A new store has an empty log: with the data that it has, the machine would be ahead of that one, too.
    expect(failure).toMatchObject({
      message: expect.stringContaining('with a new store and with a state machine that has no data'),
    });
  });
});
