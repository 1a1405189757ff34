import { describe, expect, it } from 'vitest';
import { type SimulationCounts, simulate } from '../../../src/testing/simulation.ts';

const seeds = 200;

/** What happened in all of these simulations together. */
function total(nodes: number, steps: number): SimulationCounts {
  const all = Array.from({ length: seeds }, (_, seed) => simulate({ seed, nodes, steps }));
  const sum = { ...(all[0] as SimulationCounts) };
  for (const counts of all.slice(1)) {
    for (const name of Object.keys(sum) as (keyof SimulationCounts)[]) sum[name] += counts[name];
  }
  console.log(`${nodes} nodes, ${seeds} seeds: ${JSON.stringify(sum)}`);
  return sum;
}

/** A storm that exercises nothing proves nothing: about half of what is usual. */
const floors = {
  elections: 300,
  truncations: 50,
  crashes: 300,
  lostWrites: 100,
  messagesLost: 5000,
  messagesDoubled: 3000,
  cuts: 300,
  pauses: 150,
  logReads: 1000,
  entries: 4000,
  committed: 1500,
  notCommitted: 2000,
  unknown: 200,
  reads: 800,
  refused: 1000,
  lost: 200,
  membersChanged: 40,
  transfers: 60,
  compactions: 1000,
  adminRefused: 800,
  adminUnknown: 15,
  configurationsTruncated: 2,
  snapshotsSent: 50,
  snapshotsInstalled: 40,
  logsCompacted: 300,
  disksWiped: 20,
};

describe('a cluster in bad weather', () => {
  it.each([3, 5])(
    'of %i nodes keeps every promise, and recovers when it clears',
    { timeout: 60_000 },
    (nodes) => {
      const counts = total(nodes, 1500);

      for (const [name, floor] of Object.entries(floors)) {
        expect(counts[name as keyof SimulationCounts], name).toBeGreaterThan(floor);
      }
    },
  );

  it('is the same again for the same seed, and another for another', () => {
    const options = { seed: 5, nodes: 3, steps: 1500 };

    expect(simulate(options)).toEqual(simulate(options));
    expect(simulate(options)).not.toEqual(simulate({ ...options, seed: 6 }));
  });

  it.each([
    ['compacts a log beyond what its own disk has flushed', { seed: 17, nodes: 3, steps: 1500 }],
    ['compacts a log beyond what its own disk has flushed', { seed: 7, nodes: 5, steps: 1500 }],
    ['forgets that an installed snapshot is one of its own', { seed: 3, nodes: 3, steps: 1500 }],
  ])('a node that once did so no longer %s', (_bug, options) => {
    expect(simulate(options).committed).toBeGreaterThan(0);
  });
});
