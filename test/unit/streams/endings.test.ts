import { lastValueFrom, type Observable, toArray } from 'rxjs';
import { raftNode } from 'rxraft';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type MemoryDisk, memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { Lifetime } from '../../../src/streams/lifetime.ts';
import { noteMachine } from './note-machine.ts';
import { foundedStorage, ScriptedPeers } from './scripted-peers.ts';
import { all, failureOf, startedCluster, type WordsMachine, type WordsNode, wordsMachine } from './words.ts';

const failures: unknown[] = [];
const noteFailure = (error: unknown) => failures.push(error);
process.on('unhandledRejection', noteFailure);
process.on('uncaughtException', noteFailure);
afterAll(() => {
  process.off('unhandledRejection', noteFailure);
  process.off('uncaughtException', noteFailure);
});

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  expect(failures.splice(0)).toEqual([]);
});

/** Every stream of a node has completed. */
async function allComplete(node: WordsNode): Promise<void> {
  const streams: Observable<unknown>[] = [
    node.state$,
    node.role$,
    node.leader$,
    node.members$,
    node.commits$,
  ];
  for (const stream$ of streams) await lastValueFrom(stream$.pipe(toArray()));
  for await (const _commits of node.commits({ from: 1 })) throw new Error('a commit after the end');
}

/** How many keys the state machine has on a disk. */
const keysOn = ({ image }: MemoryDisk): number => image.generations.get(image.machine.generation)?.size ?? 0;

/** A cluster of one on a disk. */
async function alone(
  disk: MemoryDisk,
  machine: WordsMachine = wordsMachine(),
  more: { closeTimeoutMs?: number } = {},
): Promise<WordsNode> {
  return raftNode({ id: 'n1', machine, storage: memoryStorage({ disk }), ...more });
}

describe('a node whose disk fails', () => {
  it('stops, answers its writes unknown, and goes on from what was durable', async () => {
    const disk = memoryDisk();
    const node = await alone(disk);
    await node.write('kept');

    disk.plan({ type: 'fail' });
    const lost = failureOf(node.write('lost'));

    expect(await lost).toEqual({ code: 'RAFT_STOPPED', outcome: 'unknown' });
    await expect(node.closed).rejects.toMatchObject({
      code: 'RAFT_STOPPED',
      message: expect.stringContaining('simulated I/O error'),
      cause: { code: 'RAFT_STORE_FAILED' },
    });
    expect(await failureOf(node.write('late'))).toEqual({ code: 'RAFT_STOPPED', outcome: 'notCommitted' });
    await allComplete(node);
    await node.close();

    const again = await alone(disk);
    expect((await again.read(all)).value).toEqual(['kept']);
    await again.close();
  });

  it('stops alone: the others go on', async () => {
    const { cluster, leader } = await startedCluster();
    await cluster.settle(leader.write('before'));
    cluster.disk(leader.id).plan({ type: 'fail' });

    const lost = await cluster.settle(failureOf(leader.write('lost')));
    expect(lost.code).toBe('RAFT_STOPPED');
    await cluster.settle(leader.closed.catch(() => {}));
    const others = cluster.nodes.filter((node) => node !== leader);
    await cluster.until(() => others.some((node) => node.status().role === 'leader'));
    const other = others.find((node) => node.status().role === 'leader') as WordsNode;
    const written = other.write('after', { timeoutMs: 20_000 });

    expect((await cluster.settle(written)).index).toBeGreaterThan(1);
    await cluster.start(leader.id);
    const back = cluster.node(leader.id);
    const { value } = await cluster.settle(back.read(all, { timeoutMs: 20_000 }));
    expect(value).toEqual(expect.arrayContaining(['before', 'after']));
    await cluster.close();
  });

  it("stops when the founding can't be written", async () => {
    const disk = memoryDisk();
    disk.plan({ type: 'fail' }, 2);

    const node = await alone(disk);

    await expect(node.closed).rejects.toMatchObject({ code: 'RAFT_STOPPED' });
    expect(disk.image.founding).toBeNull();
  });
});

describe('a node whose disk hangs', () => {
  it('closes all the same, in bounded time, and says so', async () => {
    const disk = memoryDisk();
    const node = await alone(disk, wordsMachine(), { closeTimeoutMs: 50 });
    await node.write('kept');
    disk.plan({ type: 'hang' });
    const hanging = failureOf(node.write('hanging'));
    await new Promise((resolve) => setImmediate(resolve));

    const closing = node.close();

    expect(await hanging).toEqual({ code: 'RAFT_CLOSED', outcome: 'unknown' });
    await expect(closing).rejects.toMatchObject({ code: 'RAFT_CLOSE_TIMEOUT' });
    await expect(node.closed).rejects.toMatchObject({ code: 'RAFT_CLOSE_TIMEOUT' });
    await allComplete(node);
    disk.release();
  });

  it('answers its writes at their deadlines meanwhile', async () => {
    const disk = memoryDisk();
    const node = await alone(disk, wordsMachine(), { closeTimeoutMs: 50 });
    await node.write('kept');
    disk.plan({ type: 'hang' });

    const hanging = failureOf(node.write('hanging', { timeoutMs: 60 }));

    expect(await hanging).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'unknown' });
    disk.release();
    await node.close();
  });
});

describe('a node whose network hangs', () => {
  it('closes all the same', async () => {
    const peers = new ScriptedPeers();
    const storage = await foundedStorage();
    const node = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage,
      transport: peers,
      members: [],
      closeTimeoutMs: 50,
    });
    peers.isHanging = true;

    await expect(node.close()).rejects.toMatchObject({ code: 'RAFT_CLOSE_TIMEOUT' });

    await storage.open(); // It has been closed, whatever the network does.
    await storage.close();
  });

  it('stops when the network breaks', async () => {
    const peers = new ScriptedPeers();
    const node = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage: await foundedStorage(),
      transport: peers,
      members: [],
    });

    peers.break(new Error('no route'));

    await expect(node.closed).rejects.toMatchObject({ code: 'RAFT_STOPPED' });
    expect(peers.isClosed).toBe(true);
  });
});

describe('a node whose machine throws', () => {
  it('stops, and its answer is unknown', async () => {
    const disk = memoryDisk();
    const node = await alone(disk, noteMachine([]));
    await node.write('a');

    const thrown = failureOf(node.write('throw'));

    expect(await thrown).toEqual({ code: 'RAFT_STOPPED', outcome: 'unknown' });
    await expect(node.closed).rejects.toMatchObject({
      message: expect.stringContaining('can not apply this'),
    });
    await allComplete(node);
  });

  it('leaves nothing of half a batch on the disk', async () => {
    const disk = memoryDisk();
    const node = await alone(disk, noteMachine([]));
    await node.write('a');
    await node.close();
    const applied = disk.image.machine.index;
    const again = await alone(disk, noteMachine([]));

    await failureOf(again.writeAll(['b', 'throw', 'c']));
    await again.closed.catch(() => {});

    expect(keysOn(disk)).toBe(1);
    expect(disk.image.machine.index).toBeLessThanOrEqual(applied + 1); // The entry of the new term, at most.
  });

  it('leaves nothing of it on the disk either when more is on its way there', async () => {
    const peers = new ScriptedPeers();
    peers.isObedient = true;
    const disk = memoryDisk({ storeId: 's1', flushDelayMs: 15 });
    const node = await raftNode({
      id: 'n1',
      machine: noteMachine([]),
      storage: await foundedStorage(disk),
      transport: peers,
      members: [],
      electionMs: 60,
      heartbeatMs: 20,
      tickMs: 5,
      commandBytesMax: 100,
      closeTimeoutMs: 100,
    });
    await node.write('a');
    while (keysOn(disk) === 0) await new Promise((resolve) => setImmediate(resolve));
    peers.isHanging = true;

    const thrown = failureOf(node.writeAll(['x'.repeat(60), 'throw'])); // Committed before our own disk has it.
    const next = failureOf(node.write('y'.repeat(60))); // Too large for the same batch: it waits for the disk.

    expect((await thrown).code).toBe('RAFT_STOPPED');
    expect((await next).code).toBe('RAFT_STOPPED');
    await node.closed.catch(() => {});
    expect(keysOn(disk)).toBe(1);
  });

  it('lets go of its store, so that it can start again in the same process', async () => {
    const disk = memoryDisk();
    let isBroken = false;
    const machine = (): WordsMachine => {
      const sound = noteMachine([]);
      const apply: WordsMachine['apply'] = (commands, at) => {
        const results = sound.apply(commands, at);
        if (isBroken) throw new Error('broken');
        return results;
      };
      return { ...sound, apply };
    };
    const node = await alone(disk, machine());
    await node.write('a');
    isBroken = true;
    await failureOf(node.write('b'));
    await node.closed.catch(() => {});

    isBroken = false;
    await using again = await alone(disk, machine());

    expect((await again.read(all)).value).toEqual(['a', 'b']);
  });

  it('stops where it sets a key to what is no bytes, and leaves nothing of the batch on the disk', async () => {
    const disk = memoryDisk();
    const sound = noteMachine([]);
    let store: Parameters<WordsMachine['open']>[0] | undefined;
    const open: WordsMachine['open'] = (opened) => {
      store = opened;
      return sound.open(opened);
    };
    const apply: WordsMachine['apply'] = (commands, at) => {
      const results = sound.apply(commands, at);
      if (commands.includes('bad')) store?.put(Uint8Array.of(9), new Uint16Array(1) as unknown as Uint8Array);
      return results;
    };
    const node = await alone(disk, { ...sound, open, apply });
    await node.write('a');

    expect(await failureOf(node.write('bad'))).toEqual({ code: 'RAFT_STOPPED', outcome: 'unknown' });
    await expect(node.closed).rejects.toMatchObject({
      message: expect.stringContaining('value of type Uint16Array'),
    });
    expect(keysOn(disk)).toBeLessThanOrEqual(1);
  });

  it("stops when it can't decode a command", async () => {
    const machine = wordsMachine();
    const decode = () => {
      throw new Error('what is this?');
    };
    const node = await alone(memoryDisk(), { ...machine, command: { ...machine.command, decode } });

    expect(await failureOf(node.write('a'))).toEqual({ code: 'RAFT_STOPPED', outcome: 'unknown' });
    await expect(node.closed).rejects.toMatchObject({ message: expect.stringContaining('what is this?') });
  });
});

describe('a node', () => {
  it('closes once, however often it is asked, and lets go of its store', async () => {
    const disk = memoryDisk();
    const node = await alone(disk);
    await node.write('a');

    const closings = [node.close(), node.close(), node[Symbol.asyncDispose]()];

    await Promise.all(closings);
    await node.closed;
    await allComplete(node);
    await (await alone(disk)).close();
  });

  it('flushes what it was given before it lets go of its store', async () => {
    const disk = memoryDisk();
    const node = await alone(disk);
    await node.write('a');
    const { lastIndex } = node.status();
    disk.plan({ type: 'delay', delayMs: 500 });
    const first = failureOf(node.write('b'));
    await vi.waitFor(() => expect(node.status().lastIndex).toBe(lastIndex + 1), 30_000); // On its way to the disk.
    const second = failureOf(node.write('c'));
    await vi.waitFor(() => expect(node.status().lastIndex).toBe(lastIndex + 2), 30_000); // Behind it.

    await node.close();

    expect([(await first).outcome, (await second).outcome]).toEqual(['unknown', 'unknown']);
    expect(disk.image.log.lastIndex).toBe(lastIndex + 2);
  });

  it('survives a logger that throws', async () => {
    const log = () => {
      throw new Error('no room for logs');
    };
    const node = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage: memoryStorage(),
      logger: { debug: log, info: log, warn: log, error: log },
    });

    expect((await node.write('a')).result).toBe(1);
    await node.close();
  });

  it('that is closed while its cluster is being founded stays closed', async () => {
    const disk = memoryDisk({ flushDelayMs: 20 });
    const node = await alone(disk);

    await node.close();

    expect(node.status().role).toBe('follower');
    expect(await lastValueFrom(node.state$.pipe(toArray()))).toEqual([]);
    await (await alone(disk)).close();
  });
});

describe('a lifetime', () => {
  it('ends once, whatever happens afterwards', async () => {
    const endings: string[] = [];
    const lifetime = new Lifetime(async ({ code }) => void endings.push(code));

    const error = lifetime.fail({ what: 'The disk failed', cause: 'full' });
    const again = lifetime.fail({ what: 'The network failed', cause: 'down' });
    await lifetime.close();

    await expect(lifetime.closed).rejects.toBe(error);
    expect(again).toBeNull();
    expect(endings).toEqual(['RAFT_STOPPED']);
  });

  it('rejects when it could not be ended in peace', async () => {
    const lifetime = new Lifetime(() => Promise.reject(new Error('full')));

    await expect(lifetime.close()).rejects.toThrow('full');
    await expect(lifetime.closed).rejects.toThrow('full');
  });
});
