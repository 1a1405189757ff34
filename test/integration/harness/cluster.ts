import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, onTestFailed, onTestFinished } from 'vitest';
import { freePort } from '../../ports.ts';
import { ServerNode } from './server-node.ts';
import { until } from './until.ts';

/** The end of a node's log that is shown when a test fails. */
const logLinesShown = 40;

/** Nodes, each a process with a folder of its own, on free ports of this machine. */
export class Cluster {
  readonly folder: string;
  readonly nodes: ServerNode[] = [];

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'rxraft-integration-'));
  }

  /** A further node with a place of its own. It is not started, and in nobody's list of members. */
  async addNode(id: string, data: string = join(this.folder, id)): Promise<ServerNode> {
    const node = new ServerNode({ id, data, raftPort: await freePort(), httpPort: await freePort() });
    this.nodes.push(node);
    return node;
  }

  /** Starts nodes that found a cluster together, and waits until each is ready. */
  async found(ids: readonly string[]): Promise<readonly ServerNode[]> {
    const nodes: ServerNode[] = [];
    for (const id of ids) nodes.push(await this.addNode(id));
    for (const node of nodes) {
      node.setMembers(nodes);
      node.start();
    }
    await Promise.all(nodes.map((node) => node.ready()));
    return nodes;
  }

  /** The node that leads, once one that runs says so of itself and a majority agrees. */
  leader(among: readonly ServerNode[] = this.nodes): Promise<ServerNode> {
    return until('a majority knows one leader', async () => {
      const running = among.filter(({ isRunning }) => isRunning);
      const statuses = await Promise.all(running.map((node) => node.status().catch(() => null)));
      const leaders = running.filter((_, at) => statuses[at]?.role === 'leader');
      const [leader] = leaders;
      const term = Math.max(...statuses.map((status) => status?.term ?? 0));
      const agreeing = statuses.filter((status) => status?.leaderId === leader?.id && status?.term === term);
      return leaders.length === 1 && agreeing.length > among.length / 2 ? leader : undefined;
    });
  }

  /** Waits until these nodes have applied through `index`. */
  async caughtUp(index: number, nodes: readonly ServerNode[] = this.nodes): Promise<void> {
    for (const node of nodes) {
      await until(`${node.id} has applied ${index}`, async () => {
        const { lastApplied } = await node.status();
        if (lastApplied < index) throw new Error(`it has applied ${lastApplied}`);
        return true;
      });
    }
  }

  /** What each node said at last, for whoever looks into a failure. */
  get logs(): string {
    const tails = this.nodes.map(({ id, log }) => {
      const lines = log.trimEnd().split('\n').slice(-logLinesShown);
      return `----- ${id}\n${lines.join('\n')}`;
    });
    return tails.join('\n');
  }

  /** Kills every process and removes every folder. */
  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A cluster for one test. */
export function clusterOfTest(): Cluster {
  const cluster = new Cluster();
  onTestFailed(() => console.error(cluster.logs));
  onTestFinished(() => cluster.remove());
  return cluster;
}

/** A cluster that the tests of a `describe`, or of a file, share. */
export function clusterOfAll(ids: readonly string[]): Cluster {
  const cluster = new Cluster();
  beforeAll(async () => {
    await cluster.found(ids).catch((error: unknown) => {
      console.error(cluster.logs);
      throw error;
    });
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(cluster.logs);
  });
  afterAll(() => cluster.remove());
  return cluster;
}
