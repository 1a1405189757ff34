import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { append, type EntryBatch, emptyLog, index } from '../../../src/core/index.ts';
import { LmdbMedium } from '../../../src/storage/lmdb-medium.ts';
import type { Transaction } from '../../../src/storage/medium.ts';
import { batchAt } from './batches.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxraft-medium-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function adding(batch: EntryBatch): Transaction {
  const log = append(emptyLog, batchAt(1));
  const none = { hardState: undefined, truncateFrom: undefined, start: undefined, configurations: [] };
  return { log: { seq: 1, ...none, batches: [batch], log } };
}

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
