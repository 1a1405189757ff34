import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { VirtualCluster } from '../../../src/testing/virtual-cluster.ts';
import { bytesMadeIn } from './allocations.ts';
import { counter, writeRounds } from './counter.ts';
import { shared, WorkCounter } from './work-counts.ts';

/**
 * What all that is outstanding costs together, of which each write has its share: entries, an acknowledgement and the news
 * of the commit for each of two followers; one transaction a node; and for `step` the write, six frames, and a flush
 * and an application a node. docs/performance.md has these, too.
 */
const aRound = { frames: 6, transactions: 3, steps: 13 };

/** Bytes for each write: a command, and its share of what is sent beside it. */
const aWrite = [
  { outstanding: 1, frameBytes: 692, storedBytes: 396, madeBytesMax: 110_000 },
  { outstanding: 64, frameBytes: 270.7, storedBytes: 396, madeBytesMax: 3_000 },
  { outstanding: 1000, frameBytes: 264.5, storedBytes: 396, madeBytesMax: 1_500 },
];

const rounds = 40;

/** Three nodes in virtual time that have begun to work. Heartbeats are rare: they come with time and not with work. */
async function atWork(outstanding: number) {
  const work = new WorkCounter();
  const cluster = new VirtualCluster({
    seed: 1,
    machine: counter,
    network: { faults: { delayMsMin: 1, delayMsMax: 1 } },
    node: { heartbeatMs: 10_000, electionMs: 20_000, onStep: work.onStep },
  });
  for (const { id, url } of cluster.members) {
    const storage = work.storage(memoryStorage({ disk: cluster.disk(id) }));
    await cluster.start(id, { storage, transport: work.transport(cluster.network.transport(url)) });
  }
  await cluster.until(() => cluster.nodes.some((node) => node.status().role === 'leader'), 60_000);
  const leader = await cluster.leader();
  const write = (rounds: number) => cluster.settle(writeRounds(leader, { outstanding, rounds }), 1_000_000);
  await write(5);
  await cluster.run(100); // The last of them is known everywhere.
  work.take();
  const writeAll = async () => {
    await write(rounds);
    await cluster.run(100);
  };
  return { cluster, work, writeAll };
}

describe.each(aWrite)('three nodes, with $outstanding writes outstanding', (expected) => {
  const { outstanding, frameBytes, storedBytes, madeBytesMax } = expected;

  it('send, flush and step as often as for a single one', async () => {
    const { cluster, work, writeAll } = await atWork(outstanding);

    await writeAll();

    const done = work.take();
    const { frames, transactions, steps } = shared(done, rounds);
    expect({ frames, transactions, steps }).toEqual(aRound);
    const each = shared(done, rounds * outstanding);
    expect(each.frameBytes).toBeCloseTo(frameBytes, 0);
    expect(each.storedBytes).toBe(storedBytes);
    await cluster.close();
  });

  it(`make at most ${madeBytesMax} bytes of objects for each`, async () => {
    const { cluster, writeAll } = await atWork(outstanding);

    const made = await bytesMadeIn(writeAll);

    expect(made / (rounds * outstanding)).toBeLessThan(madeBytesMax);
    await cluster.close();
  });
});
