import { setTimeout as pause } from 'node:timers/promises';
import { type LaunchConfig, type LaunchedNode, nodesOf } from './launch-config.ts';
import {
  lastWords,
  type NodeProcess,
  type Sight,
  serveArguments,
  sightOf,
  startNode,
} from './node-process.ts';

/** The processes of a cluster. */
export interface Cluster {
  readonly processes: readonly NodeProcess[];
  /**
   * Resolves once every node serves but those that the cluster keeps out, which are stopped; rejects if one of the nodes ends
   * before.
   */
  readonly ready: Promise<Readiness>;
  /** Resolves when all nodes have died; not if they were stopped. */
  readonly allDead: Promise<void>;
  /** Ends all of them in good order, and those that take too long at once. */
  stop(): Promise<void>;
}

/** A cluster that serves. */
export interface Readiness {
  readonly leaderId: string;
  readonly keptOut: readonly KeptOut[];
}

/** A node that its cluster does not let in, since its data are gone say. */
export interface KeptOut {
  readonly node: LaunchedNode;
  readonly code: Refusal['code'];
  readonly reason: string;
}

type Refusal = Exclude<Sight, 'outside' | null>['refused'][number];

/** How long nodes may take to find each other, and to end. */
const readyMsMax = 60_000;
/** Then it is said for whom the others wait. */
const patienceMs = 5_000;
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
  const dismissed = new Set<string>();

  /** Stays with one node over its lives. */
  const mind = async (at: number): Promise<void> => {
    let restartMs = restartMsMin;
    for (;;) {
      const current = processes[at] as NodeProcess;
      const startedAt = performance.now();
      const end = await current.ended;
      if (stopping.signal.aborted || !isReady.signal.aborted || dismissed.has(current.node.id)) return;
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
  /** Nothing comes of a node that is kept out, and its addresses are wanted when it is started otherwise. */
  const dismiss = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) dismissed.add(id);
    const gone = processes.filter(({ node }) => dismissed.has(node.id));
    for (const process of gone) process.stop();
    await Promise.all(gone.map(({ ended }) => ended));
  };
  const becomeReady = async (): Promise<Readiness> => {
    const readiness = await waitUntilReady(processes, say).finally(() => isReady.abort());
    await dismiss(readiness.keptOut.map(({ node }) => node.id));
    return readiness;
  };
  const minded = Promise.all(nodes.map((_, at) => mind(at)));

  return {
    processes,
    ready: becomeReady(),
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

async function waitUntilReady(
  processes: readonly NodeProcess[],
  say: (line: string) => void,
): Promise<Readiness> {
  const died = new AbortController();
  const deaths = processes.map(async (process) => {
    throw new Error(obituary(process, await process.ended));
  });
  const startedAtMs = performance.now();
  const poll = async (): Promise<Readiness> => {
    let isSaid = false;
    for (;;) {
      const sights = await Promise.all(processes.map(sightOf));
      const readiness = readinessOf(processes, sights);
      if (readiness !== null || died.signal.aborted) return readiness as Readiness;
      const waitedMs = performance.now() - startedAtMs;
      const words = wordsOf(processes.filter((_, at) => sights[at] === null));
      if (waitedMs > readyMsMax)
        throw new Error(`not every node is ready after ${readyMsMax / 1000} s. Their last words:${words}`);
      if (waitedMs > patienceMs && !isSaid) say(`not every node is ready yet. Their last words:${words}`);
      isSaid = waitedMs > patienceMs;
      await pause(100);
    }
  };
  return Promise.race([poll(), ...deaths]).finally(() => died.abort());
}

/** Whether all that can be is well: the nodes agree on who leads, but for those that have been removed, or that the leader keeps out. */
export function readinessOf(
  processes: readonly Pick<NodeProcess, 'node'>[],
  sights: readonly Sight[],
): Readiness | null {
  const inside = sights.filter((sight) => sight !== 'outside' && sight !== null);
  const [leaderId, ...others] = new Set(inside.map((sight) => sight.leaderId));
  const leading = sights[processes.findIndex(({ node }) => node.id === leaderId)] ?? null;
  if (leaderId === undefined || others.length > 0) return null;
  const refused = leading === null || leading === 'outside' ? [] : leading.refused;
  const keptOut: KeptOut[] = [];
  for (const [at, { node }] of processes.entries()) {
    if (sights[at] !== null) continue;
    const refusal = refused.find(({ id, code }) => id === node.id && isLasting(code));
    if (refusal === undefined) return null;
    keptOut.push({ node, code: refusal.code, reason: refusal.reason });
  }
  return { leaderId, keptOut };
}

/** Whether the node has to be started otherwise, or with other data, to be let in. */
function isLasting(code: Refusal['code']): boolean {
  return code === 'wipedStore' || code === 'nameInUse' || code === 'notAMember' || code === 'otherCluster';
}

function wordsOf(processes: readonly NodeProcess[]): string {
  return processes
    .flatMap(({ node }) => lastWords(node, 1).map((line) => `\n       ${node.id}: ${line}`))
    .join('');
}

function obituary({ node, pid }: NodeProcess, end: string): string {
  const words = lastWords(node).map((line) => `\n       | ${line}`);
  return `${node.id} (pid ${pid}) ${end}. It said at last (${node.data}/log):${words.join('')}`;
}
