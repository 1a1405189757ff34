import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { storageConformance } from '../../../src/testing/storage-conformance.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxraft-storage-'));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the storage in memory', () => {
  const subject = {
    make: () => {
      const disk = memoryDisk();
      return {
        storage: (options = {}) => memoryStorage({ disk, ...options }),
        kill: () => disk.kill(),
        losePower: () => disk.losePower(),
        failNextWrite: () => disk.plan({ type: 'fail' }),
      };
    },
  };

  for (const { name, run } of storageConformance) it(name, () => run(subject));
});

// Each waits for the disk half of the time.
describe.concurrent('the storage on LMDB', () => {
  const subject = {
    make: () => {
      const path = join(folder, `store.${count++}`);
      return { storage: (options = {}) => lmdbStorage({ path, ...options }) };
    },
  };
  const cases = storageConformance.filter(({ needs }) => needs.length === 0);

  for (const { name, run } of cases) it(name, () => run(subject));
});
