import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from '../../bench/harness/free-ports.ts';
import type { Namespaces } from '../../bench/harness/namespaces.ts';
import type { StatusBody } from '../../examples/kv/http/status-body.ts';
import type { Dice } from '../../src/testing/dice.ts';
import { ask } from '../integration/harness/http.ts';
import { diskKindAt, type FailingDisk, flushDisk, smallDisk } from './failing-disk.ts';
import { LinkProxy } from './link-proxy.ts';
import { Forecast } from './link-weather.ts';
import { Slot } from './slot.ts';

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly size: number;
  readonly dice: Dice;
  /** Takes data folders and logs. */
  readonly folder: string;
  /** A host of its own for each node; `null`: all on this one. */
  readonly net: Namespaces | null;
  /** Whether all slots but the last have disks that can be made to fail. */
  readonly hasFailingDisks: boolean;
  readonly snapshotEntries: number;
  onProblem(problem: string): void;
}

const pollMs = 50;
/** How long the founding may take. */
const foundingMsMax = 120_000;

/** Server processes with a proxy in front of each. */
export class ChaosCluster {
  readonly slots: readonly Slot[];
  readonly forecast = new Forecast();
  readonly net: Namespaces | null;
  #nextId: number;

  private constructor(slots: readonly Slot[], forecast: Forecast, net: Namespaces | null) {
    this.slots = slots;
    this.forecast = forecast;
    this.net = net;
    this.#nextId = slots.length + 1;
  }

  /** Founds a cluster; resolves when it takes writes. */
  static async found(options: ClusterOptions): Promise<ChaosCluster> {
    const { size, net, dice, folder } = options;
    const forecast = new Forecast();
    const ports = await freePorts(3 * size);
    const logFolder = join(folder, 'logs');
    mkdirSync(logFolder, { recursive: true });
    const slots: Slot[] = [];
    const placeOf = (id: string): number => slots.findIndex(({ node }) => node.id === id);
    for (let index = 0; index < size; index++) {
      const [raftPort = 0, httpPort = 0, port = 0] = ports.slice(3 * index);
      const host = net?.hosts[index]?.address ?? '127.0.0.1';
      const front = net?.gateway ?? '127.0.0.1';
      const proxy = new LinkProxy({
        place: index,
        host: front,
        port,
        target: `ws://${host}:${raftPort}`,
        forecast,
        placeOf,
        below: (bound) => dice.below(bound),
      });
      await proxy.open();
      const place = {
        index,
        host,
        raftPort,
        httpPort,
        advertise: `ws://${front}:${port}`,
        namespace: net?.hosts[index]?.name,
        folder: join(folder, `slot-${index + 1}`),
        flags: [
          ['--snapshot-entries', String(options.snapshotEntries)],
          net === null ? [] : ['--insecure'],
        ].flat(),
      };
      const disk = options.hasFailingDisks ? diskOf(diskKindAt(index, size), place.folder) : null;
      const watch = { logFolder, onProblem: (problem: string) => options.onProblem(problem) };
      slots.push(new Slot(`n${index + 1}`, { place, proxy, disk, watch }));
    }
    for (const { node } of slots) node.setMembers(slots.map((slot) => slot.node));
    for (const slot of slots) slot.start();
    const cluster = new ChaosCluster(slots, forecast, net);
    await cluster.recovered(foundingMsMax);
    return cluster;
  }

  /** A name that no node has had. */
  newId(): string {
    return `n${this.#nextId++}`;
  }

  async status(slot: Slot): Promise<StatusBody | null> {
    const answer = await ask(slot.url, 'GET /status', { timeoutMs: 2_000 }).catch(() => null);
    return answer?.status === 200 ? (answer.json as StatusBody) : null;
  }

  /** The slot whose node leads, as far as it knows. */
  async leader(): Promise<Slot | undefined> {
    const running = this.slots.filter(({ node }) => node.isRunning);
    const statuses = await Promise.all(running.map((slot) => this.status(slot)));
    return running[statuses.findIndex((status) => status?.role === 'leader')];
  }

  /** Waits until a write goes through each node. Resolves with the milliseconds that took; rejects after `msMax`. */
  async recovered(msMax: number): Promise<number> {
    const since = performance.now();
    await Promise.all(this.slots.map((slot) => this.#writable(slot, since + msMax)));
    return performance.now() - since;
  }

  /**
   * Waits until every node votes, all agree on the leader and the members, and have applied all there is. Nobody may
   * write meanwhile. Rejects after `msMax`.
   */
  async settled(msMax: number): Promise<void> {
    const deadline = performance.now() + msMax;
    for (let why = await this.#whyUnsettled(); why !== null; why = await this.#whyUnsettled()) {
      if (performance.now() > deadline) throw new Error(`the cluster has not settled in ${msMax} ms: ${why}`);
      await pause(pollMs);
    }
  }

  async #writable({ node }: Slot, deadline: number): Promise<void> {
    for (;;) {
      const sending = { body: String(performance.now()), timeoutMs: 3_000 };
      const answer = await ask(node.url, `PUT /kv/probe-${node.id}?timeoutMs=2000`, sending).catch(
        (error: Error) => error,
      );
      if (!(answer instanceof Error) && answer.status === 200) return;
      const why = answer instanceof Error ? answer.message : answer.text;
      if (performance.now() > deadline)
        throw new Error(`${node.id} takes no writes after the faults: ${why}`);
      await pause(pollMs);
    }
  }

  /** `null` if all is well. */
  async #whyUnsettled(): Promise<string | null> {
    const statuses = await Promise.all(this.slots.map((slot) => this.status(slot)));
    const told = this.slots.map(({ node }, at) => {
      const status = statuses[at];
      if (status === null || status === undefined) return `${node.id} does not answer`;
      const { role, term, leaderId, lastApplied, lastIndex, members } = status;
      const listed = members.map(({ id, role }) => `${id} ${role}`).sort();
      return { role, facts: { term, leaderId, lastApplied, lastIndex, members: listed.join(', ') } };
    });
    const expected = this.slots
      .map(({ node }) => `${node.id} voter`)
      .sort()
      .join(', ');
    const facts = told.map((each) => (typeof each === 'string' ? each : JSON.stringify(each.facts)));
    const isOne = new Set(facts).size === 1;
    const isWhole = told.every(
      (each) =>
        typeof each !== 'string' &&
        each.facts.members === expected &&
        each.facts.lastApplied === each.facts.lastIndex,
    );
    return isOne && isWhole ? null : `expected ${expected}; found ${facts.join(' | ')}`;
  }

  /** Kills every process, and lets go of ports and disks. */
  async remove(): Promise<void> {
    await Promise.all(
      this.slots.map(async ({ node, proxy, disk }) => {
        await node.kill();
        proxy.close();
        disk?.remove();
      }),
    );
  }
}

function diskOf(kind: FailingDisk['kind'] | null, path: string): FailingDisk | null {
  if (kind === null) return null;
  return kind === 'full' ? smallDisk(path) : flushDisk(path);
}
