import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { commitsOf, cpuMsOf } from '../../../bench/harness/usage.ts';
import type { HardState } from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/index.ts';

it('counts the transactions of a store: one for each persist', async () => {
  const path = mkdtempSync(join(tmpdir(), 'rxraft-bench-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const storage = lmdbStorage({ path });
  await storage.open();
  const before = commitsOf(path);

  for (let currentTerm = 1; currentTerm <= 5; currentTerm++) {
    const hardState = { currentTerm, votedFor: null } as HardState;
    await storage.persist([{ type: 'persistReq', seq: currentTerm, hardState, batches: [] }]);
  }

  expect(commitsOf(path) - before).toBe(5);
  await storage.close();
});

it('tells the processor time of a process', () => {
  const before = cpuMsOf(process.pid);
  const own = process.cpuUsage();

  while (process.cpuUsage(own).user + process.cpuUsage(own).system < 100_000);

  expect(cpuMsOf(process.pid) - before).toBeGreaterThanOrEqual(80);
});
