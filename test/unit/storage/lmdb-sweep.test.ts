import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { afterAll, describe, expect, it } from 'vitest';
import { index, term, votersOnly } from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { GroupKeys, generationOfKey, indexOfKey, tables } from '../../../src/storage/store-keys.ts';
import { appending, batchAt } from './batches.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxraft-sweep-'));
const keys = new GroupKeys(0);
const configuration = votersOnly([{ id: 'n1', storeId: 's', url: 'ws://127.0.0.1:1' }]);
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Raw = RootDatabase<Uint8Array, Uint8Array>;

/** Looks into a store that is closed. */
async function raw<Result>(path: string, look: (database: Raw) => Result): Promise<Result> {
  const database: Raw = open({
    path,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  try {
    return look(database);
  } finally {
    await database.close();
  }
}

/** How many keys each generation has. */
function generationsOf(database: Raw): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const key of database.getKeys(keys.generationsFrom(0))) {
    const generation = generationOfKey(key);
    counts[generation] = (counts[generation] ?? 0) + 1;
  }
  return counts;
}

function batchIndexesOf(database: Raw): readonly number[] {
  return [...database.getKeys(keys.from(tables.log, 0))].map(indexOfKey);
}

function transactionOf(database: Raw): number {
  return (database.getStats() as { readonly lastTxnId: number }).lastTxnId;
}

/** Opens the store again and again for a while, until that is seen in it. */
async function openUntil(path: string, isSeen: (database: Raw) => boolean): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const storage = lmdbStorage({ path });
    await storage.open();
    await new Promise((resolve) => setTimeout(resolve, 20 * round));
    await storage.close();
    if (await raw(path, isSeen)) return;
  }
  throw new Error('it was never seen');
}

/** An open store of a cluster, with three batches. */
async function newStore(): Promise<{ readonly path: string; readonly storage: Storage }> {
  const path = join(folder, `store-${count++}`);
  const storage = lmdbStorage({ path });
  await storage.open();
  await storage.found({ clusterId: 'c', configuration });
  await storage.persist(appending(1, 2, 3));
  return { path, storage };
}

async function installOne(storage: Storage, at = 3): Promise<void> {
  const stage = await storage.stage(`t${at}`);
  const bytes = encodeChunk([[Uint8Array.of(7), Uint8Array.of(at)]]);
  await stage.append({ number: 0, bytes, isLast: true });
  const log = { term: term(1), configuration: { index: index(0), configuration }, keepsSuffix: true };
  await storage.install({ transferId: `t${at}`, index: index(at), logTimeMs: at, log });
}

describe('data that a snapshot has replaced', () => {
  it('are deleted in slices, between which the log is written, and after a restart the rest', async () => {
    const { path, storage } = await newStore();
    const keyCount = 200_000;
    for (let at = 0; at < keyCount; at++) {
      storage.machineStore.put(Uint8Array.of(at >> 16, at >> 8, at), Uint8Array.of(1));
    }
    storage.machineStore.advance(index(3), 3);
    await storage.persist([]);
    await storage.close();
    await storage.open();

    await installOne(storage);
    await storage.persist([{ type: 'persistReq', seq: 2, batches: [batchAt(4)] }]);
    await storage.close();

    const before = await raw(path, (database) => ({
      left: generationsOf(database)[0] ?? 0,
      transaction: transactionOf(database),
    }));
    await openUntil(path, (database) => generationsOf(database)[0] === undefined);
    const after = await raw(path, (database) => ({
      generations: generationsOf(database),
      transaction: transactionOf(database),
    }));
    expect(before.left).toBeGreaterThan(keyCount / 2);
    expect(after.transaction - before.transaction).toBeGreaterThanOrEqual(before.left / 1000);
    expect(Object.values(after.generations)).toEqual([1]);
  }, 60_000);
});

describe('a log that was compacted', () => {
  it('is deleted in slices, and after a restart the rest', async () => {
    const { path, storage } = await newStore();
    const last = 20_000;
    const batches = Array.from({ length: last - 3 }, (_, at) => batchAt(4 + at));
    await storage.persist([{ type: 'persistReq', seq: 2, batches }]);

    await storage.persist([
      { type: 'compactLogReq', seq: 1, through: index(last - 1), throughTerm: term(1) },
    ]);
    await storage.close();

    const before = await raw(path, (database) => ({
      left: batchIndexesOf(database).length,
      transaction: transactionOf(database),
    }));
    await openUntil(path, (database) => batchIndexesOf(database).length === 1);
    const transaction = await raw(path, transactionOf);
    expect(before.left).toBeGreaterThan(last / 2);
    expect(transaction - before.transaction).toBeGreaterThanOrEqual(before.left / 1000);
  }, 60_000);
});

describe('a start', () => {
  it('deletes generations that are neither in use nor staged, and batches before the log', async () => {
    const { path, storage } = await newStore();
    await installOne(storage, 2);
    const staged = await storage.stage('later');
    const bytes = encodeChunk([[Uint8Array.of(1), Uint8Array.of(1)]]);
    await staged.append({ number: 0, bytes, isLast: false });
    await storage.close();
    await openUntil(path, (database) => batchIndexesOf(database).join() === '3');
    const kept = await raw(path, generationsOf);
    await raw(path, (database) => {
      for (const generation of [0, 17, 0xffff_fff0])
        for (const at of [1, 2, 3])
          database.putSync(keys.machine(generation, Uint8Array.of(at)).slice(), Uint8Array.of(at));
      database.putSync(keys.at(tables.log, index(1)).slice(), Uint8Array.of(1));
    });

    await openUntil(path, (database) => batchIndexesOf(database).join() === '3');
    await openUntil(path, (database) => Object.keys(generationsOf(database)).length === 2);

    expect(await raw(path, generationsOf)).toEqual(kept);
    await storage.open();
    expect([...storage.machineStore.range({})]).toEqual([[Uint8Array.of(7), Uint8Array.of(2)]]);
    expect((await storage.stage('later')).nextChunk).toBe(1);
    await storage.close();
  }, 60_000);

  it('does not mix a new transfer with what was left of another', async () => {
    const { path, storage } = await newStore();
    await storage.close();
    await raw(path, (database) => {
      for (let generation = 0; generation < 20; generation++)
        database.putSync(keys.machine(generation, Uint8Array.of(9)).slice(), Uint8Array.of(9));
    });
    await storage.open();

    await installOne(storage);

    expect([...storage.machineStore.range({})]).toEqual([[Uint8Array.of(7), Uint8Array.of(3)]]);
    await storage.close();
  });
});
