import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Body, Message } from '../../../examples/maelstrom/message.ts';
import { Dice } from './dice.ts';
import { MaelstromProcess } from './maelstrom-process.ts';

/** What may happen to a message between two nodes. */
export interface MessageFaults {
  readonly lossProbability: number;
  readonly duplicateProbability: number;
  /** Each message is on its way for up to so long, so that others overtake it. */
  readonly delayMsMax: number;
  /** One in ten is on its way for up to so long. */
  readonly lateMsMax: number;
}

export const noFaults: MessageFaults = {
  lossProbability: 0,
  duplicateProbability: 0,
  delayMsMax: 0,
  lateMsMax: 0,
};

/** What happened to messages between nodes. */
export interface MessageCounts {
  delivered: number;
  lost: number;
  doubled: number;
  cut: number;
}

/** Processes that are nodes of Maelstrom, and the network between them and their clients. */
export class MaelstromNetwork {
  readonly nodes: readonly MaelstromProcess[];
  readonly counts: MessageCounts = { delivered: 0, lost: 0, doubled: 0, cut: 0 };
  faults: MessageFaults = noFaults;
  readonly #folder: string;
  readonly #dice: Dice;
  readonly #waiting = new Map<string, (answer: Body) => void>();
  /** The side that each node is on; messages from one to another are cut. */
  #sides = new Map<string, number>();

  constructor(count: number, seed: number) {
    this.#folder = mkdtempSync(join(tmpdir(), 'rxraft-maelstrom-'));
    this.#dice = new Dice(seed);
    const ids = Array.from({ length: count }, (_, at) => `n${at + 1}`);
    const onMessage = (message: Message) => this.#carry(message);
    this.nodes = ids.map((id) => new MaelstromProcess({ id, ids, folder: this.#folder, onMessage }));
  }

  /** Lets messages pass among the nodes of each side only. Who is on no side is with all others on none. */
  partition(...sides: readonly (readonly MaelstromProcess[])[]): void {
    this.#sides = new Map(sides.flatMap((side, at) => side.map(({ id }) => [id, at + 1] as const)));
  }

  #carry(message: Message): void {
    const to = this.nodes.find(({ id }) => id === message.dest);
    if (to === undefined) return this.#answer(message);
    if ((this.#sides.get(message.src) ?? 0) !== (this.#sides.get(message.dest) ?? 0)) {
      this.counts.cut += 1;
      return;
    }
    const { lossProbability, duplicateProbability } = this.faults;
    if (this.#dice.happens(lossProbability)) {
      this.counts.lost += 1;
      return;
    }
    this.#deliver(to, message);
    if (!this.#dice.happens(duplicateProbability)) return;
    this.counts.doubled += 1;
    this.#deliver(to, message);
  }

  #deliver(to: MaelstromProcess, message: Message): void {
    const { delayMsMax, lateMsMax } = this.faults;
    this.counts.delivered += 1;
    setTimeout(() => to.tell(message), this.#dice.upTo(this.#dice.happens(0.1) ? lateMsMax : delayMsMax));
  }

  #answer({ dest, body }: Message): void {
    const name = `${dest} ${String(body['in_reply_to'])}`;
    this.#waiting.get(name)?.(body);
  }

  /** Asks a node, and resolves with its answer, or `null` if none comes in time, or its process has ended. */
  ask(node: MaelstromProcess, { src, body, timeoutMs }: { src: string; body: Body; timeoutMs: number }) {
    const name = `${src} ${String(body['msg_id'])}`;
    return new Promise<Body | null>((resolve) => {
      const settle = (answer: Body | null) => {
        clearTimeout(timer);
        this.#waiting.delete(name);
        resolve(answer);
      };
      const timer = setTimeout(() => settle(null), timeoutMs);
      this.#waiting.set(name, settle);
      void node.ended.then(() => settle(null));
      node.tell({ src, dest: node.id, body });
    });
  }

  get logs(): string {
    return this.nodes.map(({ id, log }) => `----- ${id}\n${log}`).join('\n');
  }

  /** Kills every process and removes every folder. */
  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
