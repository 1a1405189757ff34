import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type EntryBatch, encodePayload, type HardState, votersOnly } from 'rxraft/core';
import { lmdbStorage, type Storage } from 'rxraft/storage';
import { commitsOf } from '../harness/usage.ts';
import type { BenchCase } from '../suite/bench-case.ts';
import { latencyRow } from '../suite/rate.ts';
import { inFolder } from './started.ts';

const commandBytes = 128;
const readBytes = 1_000_000;

/** LMDB alone: batches appended one after the other, each durable before the next; and read back. */
export const storageCase: BenchCase = {
  title: 'Storage: entries a second, durable one batch after the other',
  isDefault: true,
  run: (options, findings) =>
    inFolder(async (folder) => {
      for (const count of [1, 100, 1_000]) {
        const path = join(folder, String(count));
        const storage = lmdbStorage({ path });
        await begin(storage);
        const about = { system: 'rxraft', outstanding: 1, bytes: commandBytes };
        findings.progress(`append, ${count} a batch`);
        const append = appender(storage, count);
        const commits = commitsOf(path);
        const startedAt = performance.now();
        const row = await latencyRow(options, { ...about, case: `append, ${count} a batch` }, append);
        const seconds = (performance.now() - startedAt) / 1000;
        findings.row({ ...row, flushesPerSecond: (2 * (commitsOf(path) - commits)) / seconds });
        findings.progress(`read, ${count} a batch`);
        findings.row(
          await latencyRow(options, { ...about, case: `read, ${count} a batch` }, reader(storage)),
        );
        await storage.close();
      }
    }),
};

/** A store of a cluster of one, in term 1. */
async function begin(storage: Storage): Promise<void> {
  const { storeId } = await storage.open();
  const configuration = votersOnly([{ id: 'n1', storeId, url: 'ws://127.0.0.1:7101' }]);
  await storage.found({ clusterId: 'bench', configuration });
  const hardState = { currentTerm: 1, votedFor: null } as HardState;
  await storage.persist([{ type: 'persistReq', seq: 1, hardState, batches: [] }]);
}

function appender(storage: Storage, count: number): () => Promise<number> {
  const payload = encodePayload(Array.from({ length: count }, () => new Uint8Array(commandBytes)));
  const payloadChecksum = crc32(payload);
  let next = 1;
  let seq = 1;
  return async () => {
    const position = { index: next, term: 1, logTimeMs: 0 } as Pick<
      EntryBatch,
      'index' | 'term' | 'logTimeMs'
    >;
    const batch = { ...position, group: 0, count, kind: 'command', payload, payloadChecksum } as const;
    next += count;
    seq += 1;
    await storage.persist([{ type: 'persistReq', seq, batches: [batch] }]);
    return count;
  };
}

/** From the start of the log, over and over: what a follower that lags is sent. */
function reader(storage: Storage): () => Promise<number> {
  return async () => {
    const from = 1 as EntryBatch['index'];
    const batches = await storage.readLog({ from, maxBytes: readBytes });
    if (batches === 'compacted') throw new Error('the log begins later');
    return batches.reduce((sum, { count }) => sum + count, 0);
  };
}
