import { crc32 } from 'node:zlib';
import { decodeBatch, decodePayload, type EntryBatch, encodeBatch, encodePayload } from 'rxraft/core';
import type { BenchCase } from '../suite/bench-case.ts';
import { rateRow } from '../suite/rate.ts';

const commandBytes = 128;

/** The byte form of a batch: how many entries a second are encoded, checked and taken apart. */
export const codecCase: BenchCase = {
  title: 'Codec: entries a second',
  isDefault: true,
  async run(options, findings) {
    for (const count of [1, 100, 1_000]) {
      const entries = Array.from({ length: count }, (_, at) => new Uint8Array(commandBytes).fill(at));
      const batch = batchOf(entries);
      const bytes = encodeBatch(batch);
      const works: Readonly<Record<string, () => unknown>> = {
        'encode payload and checksum': () => crc32(encodePayload(entries)),
        'encode batch': () => encodeBatch({ ...batch }), // Another object: of the same one the bytes are kept.
        'decode batch, all checks': () => decodeBatch(bytes, 0, crc32),
        'decode entries': () => decodePayload(batch.payload),
      };
      for (const [name, work] of Object.entries(works)) {
        findings.progress(`${name}, ${count} a batch`);
        const about = { system: 'rxraft', outstanding: null, bytes: commandBytes };
        findings.row(
          rateRow(options, { ...about, case: `${name}, ${count} a batch` }, () => {
            work();
            return count;
          }),
        );
      }
    }
  },
};

function batchOf(entries: readonly Uint8Array[]): EntryBatch {
  const payload = encodePayload(entries);
  const payloadChecksum = crc32(payload);
  const position = { index: 1, term: 1, logTimeMs: 0 } as Pick<EntryBatch, 'index' | 'term' | 'logTimeMs'>;
  return { ...position, group: 0, count: entries.length, kind: 'command', payload, payloadChecksum };
}
