import { setTimeout as pause } from 'node:timers/promises';
import type { LaunchConfig } from './launch-config.ts';
import { nodesOf } from './launch-config.ts';
import { lastWords, type NodeProcess, serveArguments, sightOf, startNode } from './node-process.ts';

/** The processes of a cluster. */
export interface Cluster {
  readonly processes: readonly NodeProcess[];
  /** Resolves with who leads once every node serves; rejects if one of them ends before. */
  readonly ready: Promise<string>;
  /** Resolves when all nodes have died; not if they were stopped. */
  readonly allDead: Promise<void>;
  /** Ends all of them in good order, and those that take too long at once. */
  stop(): Promise<void>;
}

/** How long nodes may take to find each other, and to end. */
const readyMsMax = 60_000;
const stopMsMax = 12_000;

/** The first wait before a node is started again; it doubles while the node keeps dying young. */
const restartMsMin = 1_000;
const restartMsMax = 30_000;
const youngMsMax = 10_000;

/** Starts all nodes. `say` tells of deaths and restarts. */
export function startCluster(config: LaunchConfig, say: (line: string) => void): Cluster {
  const nodes = nodesOf(config);
  const processes = nodes.map((node) => startNode(node, nodes));
  const stopping = new AbortController();
  const isReady = new AbortController();

  /** Stays with one node over its lives. */
  const mind = async (at: number): Promise<void> => {
    let restartMs = restartMsMin;
    for (;;) {
      const current = processes[at] as NodeProcess;
      const startedAt = performance.now();
      const end = await current.ended;
      if (stopping.signal.aborted || !isReady.signal.aborted) return;
      say(obituary(current, end));
      if (!config.isRestarting) {
        say(`       It stays down. To start it: npx rxraft ${serveArguments(current.node, nodes).join(' ')}`);
        return;
      }
      restartMs =
        performance.now() - startedAt < youngMsMax ? Math.min(2 * restartMs, restartMsMax) : restartMsMin;
      say(`       It starts again in ${restartMs / 1000} s.`);
      await pause(restartMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      processes[at] = startNode(current.node, nodes);
    }
  };
  const minded = Promise.all(nodes.map((_, at) => mind(at)));

  return {
    processes,
    ready: waitUntilReady(processes).finally(() => isReady.abort()),
    allDead: minded.then(() => (stopping.signal.aborted ? new Promise(() => undefined) : undefined)),
    async stop() {
      stopping.abort();
      const deadline = setTimeout(() => {
        for (const process of processes) process.kill();
      }, stopMsMax);
      for (const process of processes) process.stop();
      await Promise.all(processes.map((process) => process.ended));
      clearTimeout(deadline);
    },
  };
}

async function waitUntilReady(processes: readonly NodeProcess[]): Promise<string> {
  const died = new AbortController();
  const deaths = processes.map(async (process) => {
    throw new Error(obituary(process, await process.ended));
  });
  const deadline = performance.now() + readyMsMax;
  const poll = async (): Promise<string> => {
    while (!died.signal.aborted && performance.now() < deadline) {
      const sights = await Promise.all(processes.map(sightOf));
      const inside = sights.filter((sight) => sight !== 'outside');
      const leaders = new Set(inside.map((sight) => sight?.leaderId));
      const [leader] = leaders;
      if (leader !== undefined && leaders.size === 1) return leader;
      await pause(100);
    }
    const words = processes.flatMap(({ node }) =>
      lastWords(node, 1).map((line) => `\n       ${node.id}: ${line}`),
    );
    throw new Error(
      `not every node is ready after ${readyMsMax / 1000} s. Their last words:${words.join('')}`,
    );
  };
  return Promise.race([poll(), ...deaths]).finally(() => died.abort());
}

function obituary({ node, pid }: NodeProcess, end: string): string {
  const words = lastWords(node).map((line) => `\n       | ${line}`);
  return `${node.id} (pid ${pid}) ${end}. It said at last (${node.data}/log):${words.join('')}`;
}
