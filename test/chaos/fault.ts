import { setTimeout as pause } from 'node:timers/promises';
import type { Namespaces } from '../../bench/harness/namespaces.ts';
import type { Dice } from '../../src/testing/dice.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import type { Slot } from './slot.ts';

/** Where faults are to happen. */
export interface Ground {
  /** How many nodes there are. */
  readonly size: number;
  /** A host for each node; `null`: all on this one. */
  readonly net: Namespaces | null;
  /** Whether disks can be made to fail here. */
  readonly hasFailingDisks: boolean;
}

/** What a fault can't do without. */
export interface Need {
  readonly what: string;
  isMet(ground: Ground): boolean;
}

/** Something that happens to a cluster, and is over when `run` resolves. */
export interface Fault {
  readonly name: string;
  /** Default: nothing. */
  readonly needs?: Need;
  /** Resolves with what happened, or with `null` if nothing could just now. */
  run(scene: Scene): Promise<string | null>;
}

/** How often a fault is tried for a slot before it is left for another time. */
const triesMax = 8;

/** What faults have in common: the cluster, the dice, and when they have to be over. */
export class Scene {
  readonly cluster: ChaosCluster;
  readonly dice: Dice;
  /** Whether members are being changed: one change at a time. */
  isChangingMembers = false;
  /** What nodes did when their disk failed, and such. */
  readonly notes = new Map<string, number>();
  readonly #healing: AbortSignal;

  constructor(cluster: ChaosCluster, dice: Dice, healing: AbortSignal) {
    this.cluster = cluster;
    this.dice = dice;
    this.#healing = healing;
  }

  get isHealing(): boolean {
    return this.#healing.aborted;
  }

  note(what: string): void {
    this.notes.set(what, (this.notes.get(what) ?? 0) + 1);
  }

  /** Lets a fault last for a while; shorter when the cluster is to heal. */
  async last(msMin: number, msMax: number): Promise<void> {
    await pause(this.dice.between(msMin, msMax), undefined, { signal: this.#healing }).catch(() => undefined);
  }

  /** A slot that is free, every other time the leader's. It is held while `work` lasts. */
  async withSlot(
    work: (slot: Slot) => Promise<string | null>,
    among: readonly Slot[] = this.cluster.slots,
  ): Promise<string | null> {
    const leader = this.dice.chance(50) ? await this.cluster.leader() : undefined;
    for (let tries = 0; tries < triesMax; tries++) {
      const slot =
        tries === 0 && leader !== undefined && among.includes(leader) ? leader : this.dice.pick(among);
      if (slot.isTaken || !slot.node.isRunning) continue;
      return this.#hold([slot], () => work(slot));
    }
    return null;
  }

  /** All slots, if none is held. */
  async withAll(work: () => Promise<string | null>): Promise<string | null> {
    const { slots } = this.cluster;
    if (slots.some(({ isTaken, node }) => isTaken || !node.isRunning)) return null;
    return this.#hold(slots, work);
  }

  async #hold(slots: readonly Slot[], work: () => Promise<string | null>): Promise<string | null> {
    for (const slot of slots) slot.isTaken = true;
    try {
      return await work();
    } finally {
      for (const slot of slots) slot.isTaken = false;
    }
  }
}
