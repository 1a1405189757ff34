import type { NodeId } from '../core/index.ts';
import type { Envelope } from './bare-cluster.ts';
import type { Dice } from './dice.ts';
import type { SimulationCounts } from './simulation-counts.ts';
import type { Weather } from './weather.ts';

/** The longest that a late message is under way, in milliseconds: several elections. */
const lateMsMax = 1500;

/** The network of a storm: who can reach whom, and when a message arrives, if it does. */
export class StormNetwork {
  readonly #ids: readonly NodeId[];
  readonly #dice: Dice;
  readonly #counts: SimulationCounts;
  /** For each pair, from and to: until when nothing passes. */
  readonly #cutUntil: number[];

  constructor(ids: readonly NodeId[], dice: Dice, counts: SimulationCounts) {
    this.#ids = ids;
    this.#dice = dice;
    this.#counts = counts;
    this.#cutUntil = Array.from({ length: ids.length ** 2 }, () => 0);
  }

  /** Whether what one node sends to another is lost now. */
  isCut(from: NodeId, to: NodeId, now: number): boolean {
    return (this.#cutUntil[this.#placeOf(from, to)] ?? 0) > now;
  }

  /** Decides what becomes of a message, and tells `arrive` when: never, once, or twice. */
  post({ from, to }: Envelope, now: number, weather: Weather, arrive: (at: number) => void): void {
    if (this.isCut(from.id, to.id, now)) {
      this.#counts.messagesCut += 1;
      return;
    }
    if (this.#dice.chance(weather.lossPercent)) {
      this.#counts.messagesLost += 1;
      return;
    }
    arrive(now + this.#delayMs(weather));
    if (!this.#dice.chance(weather.doublePercent)) return;
    this.#counts.messagesDoubled += 1;
    arrive(now + this.#delayMs(weather));
  }

  /**
   * Cuts one node off, or splits the cluster, in both directions or in one; or leaves a bridge, one node that
   * reaches both sides.
   */
  cut(alone: NodeId, until: number): void {
    const dice = this.#dice;
    const isBridged = dice.chance(25);
    const isAlone = !isBridged && dice.chance(50);
    const side = isAlone ? new Set([alone]) : new Set(this.#ids.filter(() => dice.chance(40)));
    const isOneWay = !isBridged && dice.chance(40);
    const isTurned = dice.chance(50);
    let links = 0;
    for (const from of this.#ids) {
      for (const to of this.#ids) {
        const isBridge = isBridged && (from === alone || to === alone);
        const isAcross = side.has(from) !== side.has(to) && !isBridge;
        if (!isAcross || (isOneWay && side.has(from) === isTurned)) continue;
        this.#cutUntil[this.#placeOf(from, to)] = until;
        links += 1;
      }
    }
    if (links === 0) return; // All are on one side.
    this.#counts.cuts += 1;
    if (isOneWay) this.#counts.oneWayCuts += 1;
    if (isBridged) this.#counts.bridges += 1;
  }

  /** Everybody reaches everybody. */
  heal(): void {
    this.#cutUntil.fill(0);
  }

  #delayMs({ delayMs, latePercent }: Weather): number {
    if (!this.#dice.chance(latePercent)) return this.#dice.between(1, delayMs);
    this.#counts.messagesLate += 1;
    return this.#dice.between(delayMs, lateMsMax);
  }

  #placeOf(from: NodeId, to: NodeId): number {
    return this.#ids.indexOf(from) * this.#ids.length + this.#ids.indexOf(to);
  }
}
