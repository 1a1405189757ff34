import { describe, expect, it } from 'vitest';
import { crc32, type EntryBatch, index, term } from '../../../src/core/index.ts';
import { takeBatches } from '../../../src/storage/log-reads.ts';

/** Batches with payloads of these sizes, and how many of them have been read. */
function disk(sizes: readonly number[]) {
  const read: number[] = [];
  function* batches(): Generator<EntryBatch> {
    for (const [at, size] of sizes.entries()) {
      read.push(size);
      const payload = new Uint8Array(size);
      yield {
        group: 0,
        index: index(at + 1),
        term: term(1),
        count: 1,
        kind: 'command',
        logTimeMs: 0,
        payload,
        payloadChecksum: crc32(payload),
      };
    }
  }
  const taken = (maxBytes: number) =>
    takeBatches(batches(), maxBytes).map(({ payload }) => payload.byteLength);
  return { read, taken };
}

describe('a reading of the log', () => {
  it('takes what fits, and reads no batch of that size that does not', () => {
    const { read, taken } = disk([50, 50, 50, 50]);

    expect(taken(128)).toEqual([50, 50]);
    expect(read).toEqual([50, 50]);
  });

  it('takes one that does not fit if it is the first, and reads no other', () => {
    const { read, taken } = disk([200, 1]);

    expect(taken(128)).toEqual([200]);
    expect(read).toEqual([200]);
  });

  it('leaves one that turns out to be too large', () => {
    const { taken } = disk([10, 200]);

    expect(taken(128)).toEqual([10]);
  });
});
