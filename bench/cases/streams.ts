import { memoryNetwork, memoryStorage, type RaftNode, raftNode } from 'rxraft';
import { benchMachine } from '../embedded/bench-machine.ts';
import { NodeClient } from '../embedded/node-client.ts';
import { until } from '../harness/until.ts';
import { ClosedLoop } from '../load/closed-loop.ts';
import type { BenchCase } from '../suite/bench-case.ts';
import { measure, rowOf, warmUp } from '../suite/measure.ts';
import type { RunningSystem } from '../systems/system.ts';

const bytes = 128;
const ids = ['n1', 'n2', 'n3'];

type Node = RaftNode<Uint8Array, Uint8Array, Uint8Array, Uint8Array>;

/** The runtime without a disk and without a network: three nodes in one process, on storage and network in memory. */
export const streamsCase: BenchCase = {
  title: 'Streams: three nodes in one process, disk and network in memory (nothing is flushed)',
  isDefault: true,
  async run(options, findings) {
    const nodes = await startNodes();
    const leader = await until('a node leads', () => nodes.find((node) => node.status().role === 'leader'));
    const running = inThisProcess(new ClosedLoop(new NodeClient(leader, bytes - 4)));
    await warmUp(running, options.warmUpMs);
    for (const operation of ['write', 'read'] as const) {
      for (const outstanding of options.outstanding ?? (options.isQuick ? [64] : [1, 64, 1_000])) {
        findings.progress(`${operation}, ${outstanding} outstanding`);
        const samples = await measure(running, { ...options, operation, outstanding });
        findings.row(rowOf(samples, { case: `streams ${operation}`, system: 'rxraft', outstanding, bytes }));
      }
    }
    await Promise.all(nodes.map((node) => node.close({ handsOver: false })));
  },
};

function startNodes(): Promise<readonly Node[]> {
  const network = memoryNetwork({ faults: { delayMsMin: 0, delayMsMax: 0 } });
  const members = ids.map((id) => ({ id, url: `ws://${id}.local:7101` }));
  return Promise.all(
    members.map(({ id, url }) =>
      raftNode({
        id,
        members,
        machine: benchMachine(),
        storage: memoryStorage(),
        transport: network.transport(url),
      }),
    ),
  );
}

function inThisProcess(loop: ClosedLoop): RunningSystem {
  return {
    startLoop: async (operation, outstanding) => loop.startLoop(operation, outstanding),
    sample: (ms) => loop.sample(ms),
    stopLoop: () => loop.stopLoop(),
    usage: async () => {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, flushes: null };
    },
    end: async () => undefined,
  };
}
