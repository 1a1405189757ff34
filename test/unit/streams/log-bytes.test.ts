import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  append,
  type EntryBatch,
  emptyLog,
  encodedBytesOf,
  type Index,
  index,
} from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { logSizeOf } from '../../../src/streams/log-bytes.ts';
import { reducer } from '../../../src/streams/reducer.ts';
import { raftNode } from '../../../src/streams/start-node.ts';
import { batchOf } from './batches.ts';
import { noteMachine } from './note-machine.ts';
import { all, type Words, type WordsMachine } from './words.ts';

/** Batches of so many entries each, and a log of them that counts how often it is read. */
function logOf(counts: readonly number[]) {
  const batches: EntryBatch[] = [];
  for (const count of counts) {
    const at = batches.reduce((last, batch) => last + batch.count, 0) + 1;
    batches.push(
      batchOf(
        at,
        Array.from({ length: count }, () => 'x'.repeat(100)),
      ),
    );
  }
  const log = batches.reduce(append, emptyLog);
  let reads = 0;
  const readLog = async ({ from }: { readonly from: Index }) => {
    reads += 1;
    return batches.filter((batch) => batch.index <= from && from < batch.index + batch.count);
  };
  return { log, storage: { readLog }, bytes: encodedBytesOf(batches), reads: () => reads };
}

describe('the bytes of a log that is found', () => {
  it.each([[[]], [[1]], [[3, 1]], [[1000, 1, 1, 1]], [Array.from({ length: 500 }, () => 2)]])(
    'are known about, whatever its batches',
    async (counts) => {
      const { log, storage, bytes, reads } = logOf(counts);

      const size = await logSizeOf(storage, log, index(Math.floor(log.lastIndex / 2)));

      expect(size.bytes).toBeGreaterThanOrEqual(bytes * 0.7);
      expect(size.bytes).toBeLessThanOrEqual(bytes * 1.4);
      expect(size.bytesSinceSnapshot).toBeGreaterThanOrEqual(size.bytes / 2);
      expect(size.bytesSinceSnapshot).toBeLessThanOrEqual(size.bytes);
      expect(reads()).toBeLessThanOrEqual(8);
    },
  );
});

/** A machine in memory that gives snapshots. */
const words = (): WordsMachine =>
  reducer([] as Words, (known: Words, word: string) => {
    const next = [...known, word];
    return [next, next.length] as const;
  });

describe('a log that is written in many short runs', () => {
  it.each([
    ['memory', 'bytes', { snapshotBytes: 20_000 }],
    ['store', 'bytes', { snapshotBytes: 20_000 }],
    ['memory', 'entries', { snapshotEntries: 20 }],
    ['store', 'entries', { snapshotEntries: 20 }],
  ] as const)('does not grow without bound: a machine in %s, counted in %s', async (keeps, _, limits) => {
    const disk = memoryDisk();
    const lengths: number[] = [];
    for (let runs = 0; runs < 12; runs++) {
      const machine = keeps === 'memory' ? words() : noteMachine([]);
      const node = await raftNode({
        id: 'n1',
        machine,
        storage: memoryStorage({ disk }),
        tickMs: 5,
        ...limits,
      });
      for (let word = 0; word < 8; word++) await node.write('x'.repeat(1000));
      expect((await node.read(all)).value).toHaveLength((runs + 1) * 8);
      await pause(40); // Whether a snapshot is due is looked at with each tick.
      await node.close();
      const { lastIndex, startIndex } = disk.image.log;
      lengths.push(lastIndex - startIndex);
    }

    expect(Math.max(...lengths)).toBeLessThanOrEqual(60);
    expect(Math.max(...lengths.slice(0, 6))).toBeGreaterThan(30); // What a follower may lack stays.
  });
});
