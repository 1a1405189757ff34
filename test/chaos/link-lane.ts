import type { LinkWeather } from './link-weather.ts';

/** What passes along a connection: done when it arrives. */
export type Passing = () => void;

/** How a lane learns of the weather, and draws. */
export interface LaneOptions {
  readonly weather: () => LinkWeather;
  /** An integer from 0 to `bound - 1`. */
  readonly below: (bound: number) => number;
}

/** One direction of a connection. Nothing overtakes: it stands for one TCP connection. */
export class LinkLane {
  readonly #options: LaneOptions;
  /** Waits for the other end to be there; `null` once it is. */
  #waiting: Passing[] | null = [];
  #lastAt = 0;
  #underWay = 0;
  #hasEnded = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** The other end is there. */
  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const passing of waiting) passing();
  }

  /** Nothing arrives any more. */
  end(): void {
    this.#hasEnded = true;
    this.#waiting = [];
  }

  /** Whether it arrives, sooner or later, as far as is known now. `canDrop`: rain may take it alone. */
  pass(passing: Passing, { canDrop }: { readonly canDrop: boolean }): boolean {
    const { weather, below } = this.#options;
    const { isSilent, dropPercent, delayMs, jitterMs } = weather();
    if (isSilent || (canDrop && below(100) < dropPercent)) return false;
    const delay = delayMs + (jitterMs > 0 ? below(jitterMs) : 0);
    if (delay === 0 && this.#underWay === 0) this.#arrive(passing);
    else this.#arriveLater(passing, delay);
    return true;
  }

  #arriveLater(passing: Passing, delay: number): void {
    const now = performance.now();
    this.#lastAt = Math.max(this.#lastAt, now + delay);
    this.#underWay += 1;
    setTimeout(() => {
      this.#underWay -= 1;
      this.#arrive(passing);
    }, this.#lastAt - now);
  }

  #arrive(passing: Passing): void {
    if (this.#hasEnded) return;
    if (this.#waiting === null) passing();
    else this.#waiting.push(passing);
  }
}
