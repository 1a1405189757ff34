import { type RaftNodeOptions, raftNode, reducer } from 'rxraft';
import { describe, expect, it, vi } from 'vitest';
import { KeyMap } from '../../../src/storage/key-map.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { settingsOf } from '../../../src/streams/options.ts';
import { memoryNetwork } from '../../../src/transport/memory-network.ts';
import { wsTransport } from '../../../src/transport/ws-transport.ts';
import { noteMachine } from './note-machine.ts';
import { ScriptedPeers } from './scripted-peers.ts';
import { type WordsMachine, wordsMachine } from './words.ts';

type Options = RaftNodeOptions<string, number, unknown, unknown>;

/** What is said about options that can't be used. */
async function problemsOf(options: Partial<Record<keyof Options, unknown>>): Promise<readonly string[]> {
  const disk = memoryDisk();
  const storage = memoryStorage({ disk });
  const starting = raftNode({ id: 'n1', machine: wordsMachine(), storage, ...options } as Options);
  const error = await starting.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ name: 'RaftError', code: 'RAFT_BAD_OPTIONS' });
  expect(disk.image.bootCounter).toBe(0);
  return (error.message as string).split('\n  - ').slice(1);
}

describe("options that can't be used", () => {
  it('are refused where no timer keeps them', async () => {
    const problems = await problemsOf({
      electionMs: 2 ** 35, // Ticks tell when these are over.
      heartbeatMs: 2 ** 33,
      timeoutMs: 2 ** 40,
      tickMs: 2 ** 32,
      closeTimeoutMs: 2 ** 31,
    });

    expect(problems).toEqual([
      'tickMs is 4294967296, expected at most 2147483647 milliseconds (24.8 days)',
      'closeTimeoutMs is 2147483648, expected at most 2147483647 milliseconds (24.8 days)',
    ]);
  });

  it('are refused with all problems at once, in the names of the options', async () => {
    const problems = await problemsOf({
      id: 'no spaces',
      machine: undefined,
      storage: null,
      members: [
        { id: 'no spaces', url: '' },
        { id: '', url: '' },
      ],
      electionMs: 0.5,
      heartbeatMs: -1,
      tickMs: 'often',
      timeoutMs: 0,
      closeTimeoutMs: Number.NaN,
      commandBytesMax: 1e300,
      pendingMax: 0,
      recordLast: -1,
      seed: 0.1,
    });

    for (const name of [
      '"no spaces"',
      '""',
      'machine',
      'storage',
      'transport',
      'electionMs',
      'heartbeatMs',
      'tickMs',
      'timeoutMs',
      'closeTimeoutMs',
      'commandBytesMax',
      'pendingMax',
      'recordLast',
      'seed',
    ]) {
      expect(problems.filter((problem) => problem.includes(name)).length).toBeGreaterThan(0);
    }
  });

  it.each([
    [{ members: 'n1,n2' }, 'expected a list'],
    [{ members: [null] }, 'the node name'],
    [{ members: [{ id: 'n2', url: 'ws://h:1' }] }, 'do not name this node'],
    [
      {
        members: [
          { id: 'n1', url: 'ws://h:1' },
          { id: 'n1', url: 'ws://h:2' },
        ],
        transport: {},
      },
      'twice',
    ],
    [
      {
        members: [
          { id: 'n1', url: 'ws://h:1' },
          { id: 'n2', url: 'ws://h:2#x' },
        ],
        transport: {},
      },
      'the URL of n2 is "ws://h:2#x"',
    ],
    [{ electionMs: 100, heartbeatMs: 60 }, 'at least two heartbeats'],
    [{ tickMs: 200 }, 'ticks at least as often'],
  ])('such as %j', async (options, words) => {
    expect((await problemsOf(options)).join()).toContain(words);
  });
});

describe('members that are more than a change of members may leave', () => {
  const listOf = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ id: `n${at + 1}`, url: `ws://n${at + 1}.test:1` }));
  const transport = () => memoryNetwork().transport('ws://n1.test:1');

  it('are refused before a cluster is founded, and the storage let go of', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    const options = { id: 'n1', machine: wordsMachine(), storage };

    const starting = raftNode({ ...options, transport: transport(), members: listOf(51) });

    await expect(starting).rejects.toMatchObject({
      name: 'RaftError',
      code: 'RAFT_BAD_OPTIONS',
      message: expect.stringMatching(
        /nothing was changed:\n {2}- members: 51 members are more than 50; declare/,
      ),
    });
    expect(disk.image.founding).toBeNull();
    await using node = await raftNode({ ...options, transport: transport(), members: listOf(50) });
    expect(node.status().clusterId).toBeNull(); // Nobody else is there yet.
  });

  it('are those of a store that belongs to a cluster of so many, which opens as before', async () => {
    const disk = memoryDisk();
    const old = memoryStorage({ disk });
    const { storeId } = await old.open();
    const voters = listOf(51).map((member) => ({ ...member, storeId: member.id === 'n1' ? storeId : 's' }));
    await old.found({ clusterId: 'c', configuration: { voters, votersOutgoing: [], learners: [] } });
    await old.close();
    const storage = memoryStorage({ disk });

    for (const members of [listOf(51), []]) {
      const node = await raftNode({
        id: 'n1',
        machine: wordsMachine(),
        storage,
        transport: transport(),
        members,
      });
      expect(node.status().members).toHaveLength(51);
      await node.close();
    }
  });
});

describe('a machine that says something else of its data than they do', () => {
  it.each([
    ['memory', 3, 'gives 0'],
    ['store', 3, 'gives 0'],
    ['own', -1, 'the index it has applied'],
    ['own', undefined, 'the index it has applied'],
  ] as const)(
    'is refused, and the storage let go of: keeps %s, open gives %s',
    async (keeps, applied, words) => {
      const storage = memoryStorage();
      const machine = { ...wordsMachine(), keeps, open: () => applied } as unknown as WordsMachine;

      const starting = raftNode({ id: 'n1', machine, storage });

      await expect(starting).rejects.toMatchObject({
        code: 'RAFT_BAD_OPTIONS',
        message: expect.stringContaining(words),
      });
      await storage.open();
      await storage.close();
    },
  );

  it('is refused when it is ahead of the log', async () => {
    const machine = { ...wordsMachine(), keeps: 'own' as const, open: () => 3 as never };

    await expect(raftNode({ id: 'n1', machine, storage: memoryStorage() })).rejects.toMatchObject({
      code: 'RAFT_STORE_DAMAGED',
    });
  });
});

describe('a command that the transport could never carry', () => {
  it('is ruled out by the options: in the log it would block all that come after it', async () => {
    const transport = wsTransport({ listen: { port: 0 }, frameBytesMax: 4096 });

    const problems = await problemsOf({ transport, commandBytesMax: 4096 });

    expect(problems).toEqual([expect.stringMatching(/commandBytesMax is 4096.*4096.*at most 3072/s)]);
    await transport.close();
  });
});

describe('a transport of small frames', () => {
  it('is given less at once to bring a follower up to date, so that it fits', async () => {
    const transport = wsTransport({ listen: { port: 0 }, frameBytesMax: 65_536 });
    const parts = { machine: wordsMachine(), storage: memoryStorage(), transport };

    const { config } = settingsOf({ id: 'n1', ...parts, commandBytesMax: 1000 });

    expect(config.appendBytesMax).toBe(4096);
    await transport.close();
  });
});

describe('a start that fails', () => {
  const url = 'ws://n1.test:1';

  it.each([
    ['the machine', { machine: { ...wordsMachine(), open: () => Promise.reject(new Error('no')) } }],
    [
      'the transport',
      { transport: Object.assign(new ScriptedPeers(), { open: () => Promise.reject(new Error('no')) }) },
    ],
    [
      'an address',
      {
        members: [
          { id: 'n1', url },
          { id: 'n2', url: 'http://n2' },
        ],
      },
    ],
  ] as const)('for the sake of %s leaves nothing open', async (_what, options) => {
    const network = memoryNetwork();
    const storage = memoryStorage();
    const parts = { machine: wordsMachine(), storage, transport: network.transport(url) };

    await expect(raftNode({ id: 'n1', ...parts, ...options } as Options)).rejects.toThrow();

    const again = { machine: wordsMachine(), storage, transport: network.transport(url) };
    const node = await raftNode({ id: 'n1', ...again });
    expect((await node.write('x')).result).toBe(1);
    await node.close();
  });

  it('leaves nothing on the disk of what the machine wrote before it threw', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    const open: WordsMachine['open'] = (store) => {
      store.put(Uint8Array.of(1), Uint8Array.of(1));
      throw new Error('no');
    };

    const starting = raftNode({ id: 'n1', machine: { ...noteMachine([]), open }, storage });

    await expect(starting).rejects.toThrow('no');
    await using node = await raftNode({ id: 'n1', machine: noteMachine([]), storage });
    expect((await node.write('x')).result).toBe(1);
  });

  it('waits for what is being deleted on the disk, and the next start deletes the rest', async () => {
    const disk = memoryDisk();
    for (const orphan of [16, 17]) disk.image.generations.set(orphan, new KeyMap());
    const storage = memoryStorage({ disk });
    disk.plan({ type: 'hang' }, 2); // After the boot counter.
    let hasSettled = false;
    const broken = { ...noteMachine([]), open: () => Promise.reject(new Error('no')) };

    const starting = raftNode({ id: 'n1', machine: broken, storage }).finally(() => {
      hasSettled = true;
    });

    starting.catch(() => {});
    await vi.waitFor(() => expect(disk.faultCounts.hang).toBe(1), 30_000);
    await expect(storage.open()).rejects.toMatchObject({ code: 'RAFT_STORE_IN_USE' });
    expect(hasSettled).toBe(false);
    disk.release();
    await expect(starting).rejects.toThrow('no');
    await using node = await raftNode({ id: 'n1', machine: noteMachine([]), storage });
    await node.write('x');
    await vi.waitFor(() => expect([...disk.image.generations.keys()]).toEqual([0]), 30_000);
  });

  it('says why it failed, and logs that the storage could not be let go of', async () => {
    const cause = new Error('stuck');
    const storage = Object.assign(memoryStorage(), { discard: () => Promise.reject(cause) });
    const machine = { ...wordsMachine(), open: () => Promise.reject(new Error('no')) };
    const error = vi.fn();
    const ignore = () => {};
    const logger = { debug: ignore, info: ignore, warn: ignore, error };

    const starting = raftNode({ id: 'n1', machine, storage, logger });

    await expect(starting).rejects.toThrow('no');
    expect(error.mock.calls).toEqual([[{ cause }, 'could not let go of everything']]);
  });

  it('leaves a transport alone through which another node speaks', async () => {
    const network = memoryNetwork();
    const transport = network.transport('ws://n1.test:7100');
    const options = { machine: wordsMachine(), transport };
    await using running = await raftNode({ id: 'n1', storage: memoryStorage(), ...options });

    const starting = raftNode({ id: 'n2', storage: memoryStorage(), ...options });

    await expect(starting).rejects.toMatchObject({ code: 'RAFT_TRANSPORT_USED' });
    const other = network.transport('ws://n1.test:7100');
    const opening = raftNode({
      id: 'n1',
      storage: memoryStorage(),
      machine: wordsMachine(),
      transport: other,
    });
    await expect(opening).rejects.toMatchObject({ code: 'RAFT_PORT_IN_USE' });
    expect((await running.write('a')).result).toBe(1);
  });

  it('closes a transport that could not be opened otherwise', async () => {
    const transport = new ScriptedPeers();
    vi.spyOn(transport, 'open').mockRejectedValue(new Error('no network'));

    const starting = raftNode({ id: 'n1', storage: memoryStorage(), machine: wordsMachine(), transport });

    await expect(starting).rejects.toThrow('no network');
    expect(transport.isClosed).toBe(true);
  });

  it('for the sake of the storage says why', async () => {
    const disk = memoryDisk();
    const owner = memoryStorage({ disk });
    await owner.open();

    const starting = raftNode({
      id: 'n1',
      machine: reducer(0, (s) => [s, s]),
      storage: memoryStorage({ disk }),
    });

    await expect(starting).rejects.toMatchObject({ code: 'RAFT_STORE_IN_USE' });
  });
});
