import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { append, type EntryBatch, emptyLog, index, votersOnly } from '../../../src/core/index.ts';
import { LmdbMedium } from '../../../src/storage/lmdb-medium.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import type { Transaction } from '../../../src/storage/medium.ts';
import { appending, batchAt } from './batches.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxraft-medium-'));

const founding = {
  clusterId: 'c',
  configuration: votersOnly([{ id: 'n1', storeId: 's', url: 'ws://127.0.0.1:1' }]),
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function adding(batch: EntryBatch): Transaction {
  const log = append(emptyLog, batchAt(1));
  const none = { hardState: undefined, truncateFrom: undefined, start: undefined, configurations: [] };
  return { log: { seq: 1, ...none, batches: [batch], log } };
}

describe('a log that is being cut', () => {
  it('reads as far as both what was and what will be agree', async () => {
    const storage = lmdbStorage({ path: join(folder, 'cut'), nodeId: 'n1' });
    await storage.open();
    await storage.found(founding);
    await storage.persist(appending(1, 2, 3, 4, 5));
    const read = async (from: number) => {
      const batches = await storage.readLog({ from: index(from), maxBytes: 1_000_000 });
      return batches === 'compacted' ? batches : batches.map((batch) => `${batch.index} of ${batch.term}`);
    };
    let isDone = false;

    const cutting = storage
      .persist([{ type: 'persistReq', seq: 2, truncateFrom: index(3), batches: [batchAt(3, 2)] }])
      .finally(() => {
        isDone = true;
      });
    for (; !isDone; await new Promise(setImmediate)) {
      const [at2, at3, at5] = [await read(2), await read(3), await read(5)];
      if (isDone) break;
      expect(at2[0]).toBe('2 of 1');
      expect([at3, at5]).toEqual([[], []]);
    }
    await cutting;

    expect([await read(2), await read(3), await read(5)]).toEqual([['2 of 1', '3 of 2'], ['3 of 2'], []]);
    await storage.close();
  });
});

describe('transactions of a store', () => {
  it('have memory of their own for their batches while they are under way, and use it again later', async () => {
    const medium = new LmdbMedium({ path: join(folder, 'overlapping'), nodeId: 'n1', group: 0 });
    await medium.open();
    const batches = Array.from({ length: 12 }, (_, at) => batchAt(at + 1));

    for (let round = 0; round < 4; round++)
      await Promise.all(batches.slice(3 * round, 3 * round + 3).map((batch) => medium.write(adding(batch))));

    const stored = [...medium.batchesFrom(index(1))];
    await medium.close();
    expect(stored).toEqual(batches);
  });
});
