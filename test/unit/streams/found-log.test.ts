import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
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
import { foundLogOf } from '../../../src/streams/found-log.ts';
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
  const machineStore = { ...memoryStorage().machineStore, appliedIndex: index(0) };
  return { log, storage: { readLog, machineStore }, bytes: encodedBytesOf(batches), reads: () => reads };
}

describe('the bytes of a log that is found', () => {
  it.each([[[]], [[1]], [[3, 1]], [[1000, 1, 1, 1]], [Array.from({ length: 500 }, () => 2)]])(
    'are known about, however many entries its batches have',
    async (counts) => {
      const { log, storage, bytes, reads } = logOf(counts);

      const interval = { snapshotEntries: 1e6, snapshotBytes: 1e9 };
      const about = { log, appliedIndex: log.lastIndex, keeps: 'memory' } as const;

      const { bytesSinceSnapshot, snapshotIndex } = await foundLogOf(storage, about, interval);

      expect(snapshotIndex).toBe(0);
      expect(bytesSinceSnapshot).toBeGreaterThanOrEqual(bytes * 0.7);
      expect(bytesSinceSnapshot).toBeLessThanOrEqual(bytes * 1.4);
      expect(reads()).toBeLessThanOrEqual(8);
    },
  );
});

describe('where the last snapshot of a found log is', () => {
  const { log, storage } = logOf([10, 10, 10, 10]);
  const interval = { snapshotEntries: 15, snapshotBytes: 1e9 };
  const of = (saved: number, applied: number, keeps: 'store' | 'memory' | 'own') =>
    foundLogOf(
      { ...storage, machineStore: { ...storage.machineStore, appliedIndex: index(saved) } },
      { log, appliedIndex: index(applied), keeps },
      interval,
    );

  it('is the end of a batch an interval before what a machine in the store has applied', async () => {
    expect((await of(40, 40, 'store')).snapshotIndex).toBe(30);
    expect((await of(20, 20, 'store')).snapshotIndex).toBe(10);
    expect((await of(10, 10, 'store')).snapshotIndex).toBe(0);
  });

  it('is what another machine has saved, unless that is not of this log, or beyond the machine', async () => {
    expect((await of(20, 20, 'memory')).snapshotIndex).toBe(20);
    expect((await of(20, 30, 'own')).snapshotIndex).toBe(20);
    expect((await of(20, 10, 'own')).snapshotIndex).toBe(0);
  });
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
      const length = () => disk.image.log.lastIndex - disk.image.log.startIndex;
      await vi.waitUntil(() => length() <= 60, { timeout: 30_000 });
      await node.close();
      lengths.push(length());
    }

    expect(Math.max(...lengths)).toBeGreaterThan(20);
    expect(Math.min(...lengths.slice(3))).toBeGreaterThan(8); // What a follower may lack stays.
  });
});
