import { join } from 'node:path';
import { leads, NodeProcess } from '../embedded/node-process.ts';
import { freePorts } from '../harness/free-ports.ts';
import { commitsOf, cpuMsOf, type Usage } from '../harness/usage.ts';
import { drivenBy } from './driven.ts';
import type { RunningSystem, System } from './system.ts';

const ids = ['n1', 'n2', 'n3'];

/** Nodes with default settings, each a process, with LMDB and WebSockets; written to from within the leader's process. */
export const rxraftEmbedded: System = {
  name: 'rxraft',
  driver: 'embedded',
  flushes: 'flushed by a majority before it is answered; counted: two for each commit of LMDB',
  missing: () => null,
  operations: ['write', 'read', 'session', 'stale', 'mixed'],
  async start(folder, bytes): Promise<RunningSystem> {
    const { nodes, leader, paths } = await startNodes(folder, bytes);
    return {
      ...drivenBy(leader),
      usage: usageOf(nodes, paths),
      end: async () => void (await Promise.all(nodes.map((node) => node.kill()))),
    };
  },
};

/** What the processes of some nodes have used, and what LMDB has flushed in these folders: twice for each commit. */
export function usageOf(
  nodes: readonly { readonly pid: number }[],
  paths: readonly string[],
): () => Promise<Usage> {
  return async () => ({
    cpuMs: nodes.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0),
    flushes: 2 * paths.reduce((sum, path) => sum + commitsOf(path), 0),
  });
}

/** Three nodes, of which the first leads. */
export async function startNodes(
  folder: string,
  bytes: number,
): Promise<{
  readonly nodes: readonly NodeProcess[];
  readonly leader: NodeProcess;
  readonly paths: readonly string[];
}> {
  const ports = await freePorts(ids.length);
  const members = ids.map((id, at) => ({ id, url: `ws://127.0.0.1:${ports[at]}` }));
  const paths = ids.map((id) => join(folder, id));
  const nodes = ids.map(
    (id, at) =>
      new NodeProcess({
        id,
        path: paths[at] as string,
        port: ports[at] as number,
        members,
        shape: { keys: 1_000, valueBytes: bytes - 4 },
      }),
  );
  const [leader] = nodes as [NodeProcess];
  await Promise.all(nodes.map((node) => node.start()));
  await leads(leader, nodes);
  return { nodes, leader, paths };
}
