import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ChaosNode, type NodeWatch } from './chaos-node.ts';
import type { FailingDisk } from './failing-disk.ts';
import type { LinkProxy } from './link-proxy.ts';

/** What stays when the node of a slot is replaced. */
export interface SlotPlace {
  readonly index: number;
  readonly host: string;
  readonly raftPort: number;
  readonly httpPort: number;
  /** Where the others reach it: the proxy in front. */
  readonly advertise: string;
  readonly namespace: string | undefined;
  /** Holds the data folders of its nodes. */
  readonly folder: string;
  readonly flags: readonly string[];
}

/** A place of the cluster: an address, a proxy in front, a disk, and one node after the other. */
export class Slot {
  readonly place: SlotPlace;
  readonly proxy: LinkProxy;
  readonly disk: FailingDisk | null;
  /** Whether a fault is at work here that suffers no other one. */
  isTaken = false;
  readonly #watch: Omit<NodeWatch, 'logFile'> & { readonly logFolder: string };
  #node: ChaosNode;
  #joinUrls: readonly string[] = [];

  constructor(
    id: string,
    parts: {
      readonly place: SlotPlace;
      readonly proxy: LinkProxy;
      readonly disk: FailingDisk | null;
      readonly watch: Omit<NodeWatch, 'logFile'> & { readonly logFolder: string };
    },
  ) {
    this.place = parts.place;
    this.proxy = parts.proxy;
    this.disk = parts.disk;
    this.#watch = parts.watch;
    this.#node = this.#makeNode(id);
  }

  get node(): ChaosNode {
    return this.#node;
  }

  get url(): string {
    return this.#node.url;
  }

  /** Starts the node's process, if none runs. */
  start(): void {
    if (this.#node.isRunning) return;
    const joining =
      this.#joinUrls.length === 0
        ? []
        : ['--join', this.#joinUrls.join(','), '--advertise', this.place.advertise];
    this.#node.start(...this.place.flags, ...joining);
  }

  /** A new node with an empty folder takes the place; it will ask these servers to admit it. */
  replace(id: string, joinUrls: readonly string[]): void {
    if (this.#node.isRunning) throw new Error(`${this.#node.id} runs and can't be replaced`);
    rmSync(this.#node.place.data, { recursive: true, force: true });
    this.#node = this.#makeNode(id);
    this.#joinUrls = joinUrls;
  }

  #makeNode(id: string): ChaosNode {
    const { host, raftPort, httpPort, advertise, namespace, folder } = this.place;
    const data = join(folder, id);
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
    const at = { id, data, host, raftPort, httpPort, advertise };
    const watch = { ...this.#watch, logFile: join(this.#watch.logFolder, `${id}.log`) };
    return new ChaosNode(namespace === undefined ? at : { ...at, namespace }, watch);
  }
}
