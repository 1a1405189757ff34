import { jsonCodec } from 'rxraft';
import { describe, expect, it, vi } from 'vitest';
import { all, startedCluster, type WordsMachine, type WordsNode, wordsMachine } from './words.ts';

vi.setConfig({ testTimeout: 60_000 });

const codec = jsonCodec<string[]>();

/** A machine of words that restores a snapshot word by word, each once `gate` lets it. */
function slowMachine(gate: () => Promise<void>, onRestore: () => void): WordsMachine {
  let words: string[] = [];
  return {
    ...wordsMachine(),
    open: (store) => store.appliedIndex,
    apply: (commands) =>
      commands.map((command) => {
        words = [...words, command];
        return words.length;
      }),
    query: (select) => select(words),
    snapshot: () => [codec.encode(words)],
    async restore(pieces) {
      words = [];
      onRestore();
      for (const piece of pieces) {
        for (const word of codec.decode(piece)) {
          await gate();
          words = [...words, word];
        }
      }
    },
  };
}

describe('a machine that takes its time to restore a snapshot', () => {
  it.each(['session', 'stale'] as const)('is not seen half restored by a %s read', async (consistency) => {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    let hasBegun = false;
    const begin = (): void => {
      hasBegun = true;
    };
    const { cluster, leader, followers } = await startedCluster({
      machine: () => slowMachine(() => opened, begin),
    });
    const [follower, other] = followers as [WordsNode, WordsNode];
    const { index } = await cluster.settle(leader.write('a'));
    await cluster.until(() => follower.status().lastApplied >= index);
    cluster.network.partition([[follower.id], [leader.id, other.id]]);
    await cluster.settle(leader.write('b'));
    await cluster.settle(leader.snapshot());
    cluster.network.heal();
    await cluster.until(() => hasBegun);

    const read = follower.read(all, { consistency, index });
    await cluster.run(100);
    open();

    expect((await cluster.settle(read)).value).toEqual(['a', 'b']);
    await cluster.close();
  });
});
