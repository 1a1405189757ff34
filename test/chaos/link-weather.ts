/** What happens to messages from one node to another. */
export interface LinkWeather {
  /** How late each arrives at least. */
  readonly delayMs: number;
  /** How much later it may be, at random. */
  readonly jitterMs: number;
  /** So many of a hundred are lost. The connection knows nothing of it. */
  readonly dropPercent: number;
  /** Nothing arrives, not even that the connection was closed: it is half-open. */
  readonly isSilent: boolean;
}

/** A spell of bad weather, on some links. */
export interface Spell extends Partial<LinkWeather> {
  /** Whether it is about what this place sends to that one. */
  covers(from: number, to: number): boolean;
}

/** The weather on every link between the places of a cluster: all spells that are on, together. */
export class Forecast {
  readonly #spells = new Set<Spell>();
  readonly #onClearing = new Set<() => void>();

  /** Begins a spell; ends it by calling what is returned. */
  begin(spell: Spell): () => void {
    this.#spells.add(spell);
    return () => {
      this.#spells.delete(spell);
      for (const each of this.#onClearing) each();
    };
  }

  /** Calls this whenever a spell has ended. */
  onClearing(listener: () => void): void {
    this.#onClearing.add(listener);
  }

  at(from: number, to: number): LinkWeather {
    const spells = [...this.#spells].filter((spell) => spell.covers(from, to));
    const worst = (of: (spell: Spell) => number | undefined): number =>
      Math.max(0, ...spells.map((spell) => of(spell) ?? 0));
    return {
      delayMs: worst(({ delayMs }) => delayMs),
      jitterMs: worst(({ jitterMs }) => jitterMs),
      dropPercent: worst(({ dropPercent }) => dropPercent),
      isSilent: spells.some(({ isSilent }) => isSilent === true),
    };
  }
}
