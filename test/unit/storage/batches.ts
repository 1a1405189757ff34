import { crc32 } from '../../../src/core/crc32.ts';
import { type EntryBatch, encodePayload, index, type PersistReq, term } from '../../../src/core/index.ts';

/** A batch of one command of 8 bytes, of term 1 unless told otherwise. */
export function batchAt(at: number, inTerm = 1): EntryBatch {
  const payload = encodePayload([new Uint8Array(8).fill(at)]);
  return {
    group: 0,
    index: index(at),
    term: term(inTerm),
    count: 1,
    kind: 'command',
    logTimeMs: at,
    payload,
    payloadChecksum: crc32(payload),
  };
}

/** One request that makes term 1 and batches at these indexes durable. */
export function appending(...indexes: number[]): readonly PersistReq[] {
  const hardState = { currentTerm: term(1), votedFor: null };
  return [
    { type: 'persistReq', seq: indexes.at(-1) ?? 0, hardState, batches: indexes.map((at) => batchAt(at)) },
  ];
}
