import { crc32 } from 'node:zlib';
import { type EntryBatch, encodePayload, type HardState, type Index, votersOnly } from 'rxraft/core';
import { lmdbStorage } from 'rxraft/storage';

const perBatch = 100;
const batchesAtOnce = 1_000;
const commandBytes = 16;

/** Makes a store of a cluster of one, whose log has so many entries, all of them applied. */
export async function makeLongLog(path: string, entries: number): Promise<void> {
  const storage = lmdbStorage({ path });
  const { storeId } = await storage.open();
  await storage.found({
    clusterId: 'bench',
    configuration: votersOnly([{ id: 'n1', storeId, url: '' }]),
  });
  const hardState = { currentTerm: 1, votedFor: null } as HardState;
  await storage.persist([{ type: 'persistReq', seq: 1, hardState, batches: [] }]);
  const payload = encodePayload(Array.from({ length: perBatch }, () => new Uint8Array(commandBytes)));
  const payloadChecksum = crc32(payload);
  for (let next = 1, seq = 2; next <= entries; seq++) {
    const batches: EntryBatch[] = [];
    for (; next <= entries && batches.length < batchesAtOnce; next += perBatch) {
      const position = { index: next, term: 1, logTimeMs: 0 } as Pick<
        EntryBatch,
        'index' | 'term' | 'logTimeMs'
      >;
      batches.push({ ...position, group: 0, count: perBatch, kind: 'command', payload, payloadChecksum });
    }
    await storage.persist([{ type: 'persistReq', seq, batches }]);
  }
  storage.machineStore.advance(entries as Index, 0);
  await storage.persist([]);
  await storage.close();
}
