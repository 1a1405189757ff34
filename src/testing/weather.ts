import type { Config } from '../core/index.ts';
import type { Dice } from './dice.ts';

/** What strikes again and again while the weather is bad. */
export type Strike =
  | 'client'
  | 'crash'
  | 'cut'
  | 'pause'
  | 'slowDisk'
  | 'hungDisk'
  | 'failDisk'
  | 'clock'
  | 'members'
  | 'transfer'
  | 'compact'
  | 'wipe';

/** How bad things are in one simulation: each seed draws its own, so that all mixtures are tried. */
export interface Weather {
  readonly lossPercent: number;
  readonly doublePercent: number;
  /** Messages take up to this long, and overtake each other. */
  readonly delayMs: number;
  /** So many of them are late, by as much as several elections. */
  readonly latePercent: number;
  /** So many of those for a disk that is gone come to the one that its node has now. */
  readonly misdeliverPercent: number;
  readonly diskMs: number;
  /** A node hears up to this much later that its disk is done. */
  readonly hearMs: number;
  /** Whether a flush takes all that waits, or some of it. */
  readonly mergesFlushes: boolean;
  readonly machineMs: number;
  readonly isMachineDurable: boolean;
  /** Mean milliseconds between strikes of a kind; 0 for never. */
  readonly everyMs: Readonly<Record<Strike, number>>;
  /** The longest a crashed node stays down. */
  readonly downMs: number;
  readonly readPercent: number;
  /** So many requests are made of any node, whether it leads or not. */
  readonly strayPercent: number;
  /** Clocks run up to this much too fast, or too slow. */
  readonly skewPercent: number;
  /** Nodes that may join. */
  readonly joiners: number;
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
    misdeliverPercent: dice.pick([0, 50]),
    diskMs: dice.pick([0, 5, 20, 60]),
    hearMs: dice.pick([0, 3, 30]),
    mergesFlushes: dice.chance(50),
    machineMs: dice.pick([0, 10, 100]),
    isMachineDurable: dice.chance(50),
    everyMs: drawStrikes(dice),
    downMs: dice.pick([50, 500, 1500]),
    readPercent: dice.pick([10, 50]),
    strayPercent: dice.pick([5, 20]),
    skewPercent: dice.pick([0, 0, 10, 30]),
    joiners: dice.pick([0, 1, 2, 3]),
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

function drawStrikes(dice: Dice): Weather['everyMs'] {
  return {
    client: dice.pick([5, 20, 80]),
    crash: dice.pick([0, 300, 800, 2500]),
    cut: dice.pick([0, 400, 1500]),
    pause: dice.pick([0, 0, 400, 1000]),
    slowDisk: dice.pick([0, 0, 300, 1000]),
    hungDisk: dice.pick([0, 0, 1000, 3000]),
    failDisk: dice.pick([0, 0, 0, 1500]),
    clock: dice.pick([0, 0, 500, 2000]),
    members: dice.pick([0, 200, 600]),
    transfer: dice.pick([0, 400, 1500]),
    compact: dice.pick([0, 60, 250, 1000]),
    wipe: dice.pick([0, 0, 1500]),
  };
}

/** The weather once it has cleared: nothing is lost, and everything takes its short time. */
export function cleared(weather: Weather): Weather {
  return {
    ...weather,
    lossPercent: 0,
    doublePercent: 0,
    latePercent: 0,
    misdeliverPercent: 0,
    delayMs: 5,
    diskMs: 5,
    hearMs: 0,
    machineMs: 5,
    snapshotMs: 20,
    snapshotLossPercent: 0,
  };
}
