import { describe, expect, it } from 'vitest';
import { simulateCore, simulateCoreSeeds } from '../../../src/testing/simulate-core.ts';
import type { SimulationCounts } from '../../../src/testing/simulation-counts.ts';

/** A storm that exercises nothing proves nothing: about half of what is usual in so many seeds. */
const floors: Partial<SimulationCounts> = {
  elections: 200,
  entries: 4000,
  truncations: 30,
  configurationsTruncated: 1,
  crashes: 400,
  lostWrites: 150,
  messagesLost: 2000,
  messagesCut: 3000,
  cuts: 200,
  messagesDoubled: 3000,
  messagesLate: 500,
  messagesMisdelivered: 80,
  oneWayCuts: 70,
  bridges: 50,
  pauses: 200,
  slowDisks: 300,
  hungDisks: 70,
  failedDisks: 30,
  disksWiped: 7,
  skewedTicks: 20_000,
  clockJumps: 150,
  logReads: 1500,
  snapshotsSent: 25,
  snapshotsInstalled: 20,
  logsCompacted: 150,
  committed: 1200,
  notCommitted: 2000,
  unknown: 400,
  reads: 800,
  refused: 1000,
  lost: 700,
  membersChanged: 15,
  transfers: 40,
  compactions: 700,
  adminRefused: 300,
  adminUnknown: 8,
};

/** What happened in all of these simulations together, with the floors that it had to reach. */
function report(title: string, counts: SimulationCounts): void {
  const lines = Object.entries(counts).map(
    ([name, count]) =>
      `${name} ${count}${name in floors ? `/${floors[name as keyof SimulationCounts]}` : ''}`,
  );
  console.log(`${title}: ${lines.join(', ')}`);
}

describe('a cluster in bad weather', () => {
  it.each([3, 5])(
    'of %i nodes keeps every promise, and recovers when it clears',
    { timeout: 240_000 },
    (nodes) => {
      const { counts } = simulateCoreSeeds({ seeds: 50, nodes, steps: 5000, floors });

      report(`${nodes} nodes, 50 seeds of 5,000 steps, and the floors`, counts);
    },
  );

  it.each([
    ['nodes', { nodes: 0 }],
    ['nodes', { nodes: Number.NaN }],
    ['steps', { steps: 0.5 }],
    ['from', { from: Number.NaN }],
    ['seeds', { seeds: 0 }],
    ['seeds', { seeds: undefined as unknown as number }],
  ])('is refused where nothing would be simulated: %s of %j', (name, numbers) => {
    const run = () => simulateCoreSeeds({ seeds: 1, nodes: 3, steps: 10, ...numbers });

    expect(run).toThrow(RangeError);
    expect(run).toThrow(`${name} is `);
  });

  it('is the same again for the same seed, and another for another', () => {
    const options = { seed: 5, nodes: 3, steps: 1500 };

    expect(simulateCore(options)).toEqual(simulateCore(options));
    expect(simulateCore(options)).not.toEqual(simulateCore({ ...options, seed: 6 }));
  });

  // The seeds at which `npm run planted` finds these again.
  it.each([
    ['compacts a log beyond what its own disk has flushed', { seed: 10, nodes: 5, steps: 5000 }],
    ['compacts a log beyond what its own disk has flushed', { seed: 2000008, nodes: 5, steps: 5000 }],
    ['forgets that an installed snapshot is one of its own', { seed: 3, nodes: 3, steps: 5000 }],
  ])('a node that once did so no longer %s', (_bug, options) => {
    expect(simulateCore(options).counts.committed).toBeGreaterThan(0);
  });
});
