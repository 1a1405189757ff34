import { crc32, type EntryBatch, encodePayload, index, term } from '../../../src/core/index.ts';

/** A batch of `words`, from `first` on. */
export function batchOf(first: number, words: readonly string[], termOf = 1): EntryBatch {
  const payload = encodePayload(words.map((word) => new TextEncoder().encode(JSON.stringify(word))));
  return {
    group: 0,
    index: index(first),
    term: term(termOf),
    count: words.length,
    kind: 'command',
    logTimeMs: 0,
    payload,
    payloadChecksum: crc32(payload),
  };
}
