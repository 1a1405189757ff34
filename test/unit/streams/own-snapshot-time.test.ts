import { jsonCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { type Index, index, index0, plus } from '../../../src/core/index.ts';
import { VirtualCluster } from '../../../src/testing/virtual-cluster.ts';
import type { WordsMachine } from './words.ts';

/** A machine of words with a storage of its own, which outlives its processes. */
function ownMachine(storage: { words: string[]; applied: Index }): WordsMachine {
  const codec = jsonCodec<string[]>();
  return {
    keeps: 'own',
    command: jsonCodec<string>(),
    result: jsonCodec<number>(),
    open: () => storage.applied,
    apply(commands, at) {
      storage.words.push(...commands);
      storage.applied = plus(at.index, commands.length - 1);
      return commands.map(() => storage.words.length);
    },
    query: (select) => select(storage.words),
    snapshot: () => [codec.encode(storage.words)],
    restore: () => undefined,
  };
}

describe('the snapshot of a machine with a storage of its own', () => {
  it('carries the clock of the log at its index, also when it is taken right after a restart', async () => {
    const storage = { words: [], applied: index0 };
    const cluster = new VirtualCluster({ seed: 1, ids: ['n1'], machine: () => ownMachine(storage) });
    const first = await cluster.start('n1');
    await cluster.settle(first.write('a'));
    await cluster.run(300);
    const written = await cluster.settle(first.write('b'));
    let logTimeMs = 0;
    first.state$.subscribe(({ log }) => {
      logTimeMs = log.lastLogTimeMs;
    });
    await cluster.stop('n1');

    const again = await cluster.start('n1', { electionMs: 10_000 });
    await cluster.settle(again.snapshot());
    const { index: at, logTimeMs: snapshotTimeMs } = cluster.disk('n1').image.machine;
    await cluster.close();

    expect(logTimeMs).toBeGreaterThan(250);
    expect({ at, snapshotTimeMs }).toEqual({ at: index(written.index), snapshotTimeMs: logTimeMs });
  });
});
