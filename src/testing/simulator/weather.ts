import type { RaftNodeOptions } from '../../streams/raft-node.ts';
import type { MemoryNetworkOptions } from '../../transport/memory-network.ts';
import type { Dice } from '../dice.ts';

/** What does not change during a run: each seed draws its own, so that all mixtures are tried. */
export interface Weather {
  readonly network: MemoryNetworkOptions;
  /** Milliseconds from a write to its durability. */
  readonly flushMs: number;
  /** The founding members start within so many milliseconds. */
  readonly startMs: number;
  /** Mean milliseconds between two requests of clients. */
  readonly clientMs: number;
  // biome-ignore lint/suspicious/noExplicitAny: none of these options has to do with the machine.
  readonly node: Partial<RaftNodeOptions<any, any, any, any>>;
}

/** Draws the weather. Elections are shorter than by default, so that more happens in as many steps. */
export function drawWeather(dice: Dice): Weather {
  return {
    network: {
      faults: { delayMsMin: 1, delayMsMax: dice.pick([1, 4, 15]) },
      noticeMs: dice.pick([100, 400, 1500]),
      backoffMsMin: 20,
      backoffMsMax: 200,
      encode: dice.chance(25),
    },
    flushMs: dice.pick([0, 2, 10, 30]),
    startMs: dice.pick([0, 500, 3000]),
    clientMs: dice.pick([10, 25, 60]),
    node: {
      tickMs: 25,
      heartbeatMs: 60,
      electionMs: dice.pick([200, 350]),
      snapshotEntries: dice.pick([15, 60, 100_000]),
      timeoutMs: 2000,
      closeTimeoutMs: 1000,
    },
  };
}
