import { jsonCodec, memoryDisk, memoryStorage, raftNode, type StateMachine } from 'rxraft';
import { describe, expect, it, vi } from 'vitest';
import { index0 } from '../../../src/core/index.ts';
import type { MachineStore } from '../../../src/storage/storage.ts';
import type { MemberAddress } from '../../../src/transport/transport.ts';
import { wsTransport } from '../../../src/transport/ws-transport.ts';
import { freePorts } from '../../ports.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A command is a number of bytes, and the machine's data one value of so many. */
type BytesMachine = StateMachine<number, number, null, number>;

const key = Uint8Array.of(1);
const filled = (bytes: number) => new Uint8Array(bytes).fill(7);

function inStore(): BytesMachine {
  let store: MachineStore | undefined;
  return {
    keeps: 'store',
    command: jsonCodec(),
    result: jsonCodec(),
    open(opened) {
      store = opened;
      return opened.appliedIndex;
    },
    apply: (commands) =>
      commands.map((bytes) => {
        store?.put(key, filled(bytes));
        return bytes;
      }),
    query: () => store?.get(key)?.filter((byte) => byte === 7).length ?? 0,
  };
}

function inMemory(): BytesMachine {
  let value = new Uint8Array(0);
  return {
    keeps: 'memory',
    command: jsonCodec(),
    result: jsonCodec(),
    open: () => index0,
    apply: (commands) =>
      commands.map((bytes) => {
        value = filled(bytes);
        return bytes;
      }),
    query: () => value.filter((byte) => byte === 7).length,
    snapshot: () => [value],
    restore(pieces) {
      for (const piece of pieces) value = piece.slice();
    },
  };
}

/** Three nodes over WebSockets, each on a disk that outlives it. */
async function startedOnSockets(machine: () => BytesMachine) {
  const first = await freePorts(3);
  const members = [0, 1, 2].map((at) => ({ id: `n${at}`, url: `ws://127.0.0.1:${first + at}` }));
  const disks = members.map(() => memoryDisk());
  const start = ({ id }: MemberAddress, at: number) =>
    raftNode({
      id,
      members,
      machine: machine(),
      storage: memoryStorage(disks[at] && { disk: disks[at] }),
      transport: wsTransport({ listen: { port: first + at } }),
    });
  return {
    nodes: await Promise.all(members.map(start)),
    start: (at: number) => start(members[at] as MemberAddress, at),
  };
}

describe.each([
  { where: 'store', machine: inStore },
  { where: 'memory', machine: inMemory },
])('a value of more bytes than a frame may have, of a machine in $where', ({ machine }) => {
  it('is handed on to a node that needs a snapshot', async () => {
    const bytes = 5_000_000;
    const { nodes, start } = await startedOnSockets(machine);
    await nodes[0]?.write(1, { timeoutMs: 20_000 });
    const leader = nodes.find((node) => node.status().role === 'leader') as (typeof nodes)[number];
    const at = nodes.findIndex((node) => node !== leader);
    await nodes[at]?.close();
    await leader.write(bytes, { timeoutMs: 20_000 });
    await leader.snapshot();

    const late = await start(at);
    nodes[at] = late;
    await expect.poll(() => late.status().lastApplied, { timeout: 20_000 }).toBe(leader.status().lastApplied);

    expect((await late.read(null, { consistency: 'stale' })).value).toBe(bytes);
    for (const node of nodes) await node.close();
  });
});
