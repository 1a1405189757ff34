import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { type Compiled, compileStorage } from './compiled.ts';

const chunkCount = 20;
const keysPerChunk = 100;

/** Opens the store at argv[2] and installs one snapshot after another; all values of a snapshot are its index. */
const installer = `
import { lmdbStorage } from './src/storage/index.js';
import { encodeChunk } from './src/storage/snapshot-chunk.js';

const storage = lmdbStorage({ path: process.argv[2] });
const configuration = { voters: [{ id: 'n', storeId: 's', url: 'ws://n:1' }], votersOutgoing: [], learners: [] };
const { founding, log } = await storage.open();
if (founding === null) {
  await storage.found({ clusterId: 'c', configuration });
  const hardState = { currentTerm: 1, votedFor: null };
  await storage.persist([{ type: 'persistReq', seq: 1, hardState, batches: [] }]);
}
for (let index = log.startIndex + 1; ; index++) {
  const transferId = 't' + index;
  const stage = await storage.stage(transferId);
  console.log('staged ' + index + ' from ' + stage.nextChunk);
  for (let number = stage.nextChunk; number < ${chunkCount}; number++) {
    const entries = Array.from({ length: ${keysPerChunk} }, (_, at) => [
      Uint8Array.of(number, at),
      new Uint8Array(100).fill(index),
    ]);
    await stage.append({ number, bytes: encodeChunk(entries), isLast: number === ${chunkCount - 1} });
  }
  const log = { term: 1, configuration: { index, configuration }, keepsSuffix: false };
  if (!(await storage.install({ transferId, index, logTimeMs: index, log }))) throw new Error('not installed');
  console.log('installed ' + index);
}
`;

const folder = mkdtempSync(join(tmpdir(), 'rxraft-install-'));
let compiled: Compiled;

beforeAll(() => {
  compiled = compileStorage();
  compiled.script('installer.js', installer);
}, 30_000);

afterAll(() => {
  compiled.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the installer for a while and kills it; what it printed. */
async function runFor(path: string, ms: number): Promise<string> {
  const child = spawn(process.execPath, ['installer.js', path], {
    cwd: compiled.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      output += text;
      if (output.includes('staged')) resolve();
    });
    void ended.then(resolve);
  });
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill('SIGKILL');
  await ended;
  return output;
}

describe('a process that is killed while it receives and installs snapshots', () => {
  it('leaves one whole set of data, at least what it said was installed, and goes on with the next', async () => {
    const path = join(folder, 'store');
    let installed = 0;
    let resumed = 0;
    for (let round = 0; round < 12; round++) {
      const output = await runFor(path, (round * 37) % 90);
      resumed += Number(/staged \d+ from (\d+)/.exec(output)?.[1] ?? 0);
      installed = Number(/installed (\d+)\n(?!.*installed)/s.exec(output)?.[1] ?? installed);

      const storage = lmdbStorage({ path });
      const { log, configurations } = await storage.open();
      const data = [...storage.machineStore.range({})];
      const { appliedIndex } = storage.machineStore;
      await storage.close();

      expect(appliedIndex).toBeGreaterThanOrEqual(installed);
      expect(appliedIndex).toBeLessThanOrEqual(installed + 1);
      expect(log.startIndex).toBe(appliedIndex);
      expect(configurations.map((at) => at.index)).toEqual([appliedIndex]);
      expect(data).toHaveLength(appliedIndex === 0 ? 0 : chunkCount * keysPerChunk);
      installed = appliedIndex; // What was not said in time counts from now on.
      expect(new Set(data.map(([, value]) => value[0]))).toEqual(
        new Set(appliedIndex === 0 ? [] : [appliedIndex % 256]),
      );
    }
    expect(installed).toBeGreaterThan(0);
    expect(resumed).toBeGreaterThan(0);
  }, 60_000);
});
