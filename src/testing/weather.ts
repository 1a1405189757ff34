import type { Config } from '../core/index.ts';
import type { Dice } from './dice.ts';

/** How bad things are in one simulation: each seed draws its own, so that all mixtures are tried. */
export interface Weather {
  readonly lossPercent: number;
  readonly doublePercent: number;
  /** Messages take up to this long, and overtake each other. */
  readonly delayMs: number;
  /** So many of them are late, by as much as several elections. */
  readonly latePercent: number;
  readonly diskMs: number;
  /** Whether a flush takes all that waits, or some of it. */
  readonly mergesFlushes: boolean;
  readonly machineMs: number;
  readonly isMachineDurable: boolean;
  /** Mean milliseconds between events; 0 for never. */
  readonly crashMs: number;
  readonly cutMs: number;
  readonly pauseMs: number;
  readonly slowDiskMs: number;
  readonly clientMs: number;
  /** The longest a crashed node stays down. */
  readonly downMs: number;
  readonly readPercent: number;
  /** Nodes that may join. */
  readonly joiners: number;
  /** Mean milliseconds between changes of members, transfers, compactions, wiped disks; 0 for never. */
  readonly membersMs: number;
  readonly transferMs: number;
  readonly compactMs: number;
  readonly wipeMs: number;
  /** A snapshot takes up to this long to be made durable, and to be sent; and so many are lost on the way. */
  readonly snapshotMs: number;
  readonly snapshotLossPercent: number;
  /** Whether transports notice when a node goes and comes. */
  readonly hasHints: boolean;
  /** Limits so tight that they are felt. */
  readonly limits: Partial<Config>;
}

/** Draws the weather. */
export function drawWeather(dice: Dice): Weather {
  return {
    lossPercent: dice.pick([0, 0, 1, 5, 20]),
    doublePercent: dice.pick([0, 1, 10, 30]),
    delayMs: dice.pick([3, 10, 30, 80]),
    latePercent: dice.pick([0, 0, 1, 5]),
    diskMs: dice.pick([0, 5, 20, 60]),
    mergesFlushes: dice.chance(50),
    machineMs: dice.pick([0, 10, 100]),
    isMachineDurable: dice.chance(50),
    crashMs: dice.pick([0, 300, 800, 2500]),
    cutMs: dice.pick([0, 400, 1000]),
    pauseMs: dice.pick([0, 0, 400, 1000]),
    slowDiskMs: dice.pick([0, 300, 1000]),
    clientMs: dice.pick([10, 40, 120]),
    downMs: dice.pick([50, 500, 1500]),
    readPercent: dice.pick([10, 50]),
    joiners: dice.pick([0, 1, 2, 3]),
    membersMs: dice.pick([0, 200, 600]),
    transferMs: dice.pick([0, 400, 1500]),
    compactMs: dice.pick([0, 60, 250, 1000]),
    wipeMs: dice.pick([0, 0, 1500]),
    snapshotMs: dice.pick([5, 50, 400]),
    snapshotLossPercent: dice.pick([0, 10, 40]),
    hasHints: dice.chance(60),
    limits: dice.pick<Partial<Config>>([
      {},
      { inflightBytesMax: 200, appendBytesMax: 150 },
      { pendingWritesMax: 4, pendingReadsMax: 3 },
    ]),
  };
}
