import type { NodeId } from '../../core/index.ts';
import { type MemoryNetwork, type NetworkFaults, noFaults } from '../../transport/memory-network.ts';

/** What is wrong with the network for a while. */
export interface NetworkPeriod {
  readonly faults?: Partial<NetworkFaults>;
  /** What each first sends to the second does not arrive. */
  readonly cuts?: readonly (readonly [NodeId, NodeId])[];
}

/**
 * What is wrong with a network now: periods overlap, and the end of one ends nothing of another. Where two speak of the
 * same, the worse holds.
 */
export class NetworkPeriods {
  readonly #network: MemoryNetwork;
  readonly #calm: NetworkFaults;
  readonly #active = new Set<NetworkPeriod>();

  constructor(network: MemoryNetwork, weather: Partial<NetworkFaults> = {}) {
    this.#network = network;
    this.#calm = { ...noFaults, ...weather };
  }

  begin(period: NetworkPeriod): void {
    this.#active.add(period);
    this.#network.setFaults(this.#worst());
    this.#cut(period);
  }

  /** Connections notice the cuts that are left as if they were made now. */
  end(period: NetworkPeriod): void {
    this.#active.delete(period);
    this.#network.setFaults(this.#worst());
    if ((period.cuts ?? []).length === 0) return;
    this.#network.heal();
    for (const other of this.#active) this.#cut(other);
  }

  #cut({ cuts = [] }: NetworkPeriod): void {
    for (const [from, to] of cuts) this.#network.cut(from, to);
  }

  #worst(): NetworkFaults {
    const worst: { -readonly [Name in keyof NetworkFaults]: number } = { ...this.#calm };
    for (const { faults = {} } of this.#active) {
      for (const [name, value] of Object.entries(faults) as [keyof NetworkFaults, number][])
        worst[name] = Math.max(worst[name], value);
    }
    return worst;
  }
}
