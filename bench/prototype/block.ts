/**
 * What the prototype sends and stores: one encoded block for the writes of an event-loop turn.
 *
 * | bytes | |
 * |---|---|
 * | 0–7 | index of the first entry, a double |
 * | 8–15 | what is committed, a double |
 * | 16–19 | how many entries; 0 in a message that only tells what is committed, or asks who is there |
 * | 20–23 | number of the latest round of reads, which an acknowledgement repeats |
 * | 24– | entries, each a u32 length and as many bytes |
 */
const headerBytes = 24;

/** What a follower looks at: the header, never the entries. */
export interface BlockHeader {
  readonly last: number;
  readonly commitIndex: number;
  readonly count: number;
  readonly round: number;
}

/** What an acknowledgement says: durable through `last`, and the latest round of reads that was heard of. */
export const ackBytes = 12;

export function headerOf(block: Buffer): BlockHeader {
  const count = block.readUInt32BE(16);
  return {
    last: block.readDoubleBE(0) + count - 1,
    commitIndex: block.readDoubleBE(8),
    count,
    round: block.readUInt32BE(20),
  };
}

/** Entries that wait for the end of the turn: single ones as they are, or several that are encoded already. */
export class BlockBuilder {
  #parts: Uint8Array[] = [];
  #counts: number[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** One entry, without its length. */
  addEntry(entry: Uint8Array): void {
    this.#parts.push(entry);
    this.#counts.push(0);
    this.#count += 1;
    this.#bytes += 4 + entry.byteLength;
  }

  /** Entries that have their lengths in front of them. */
  addEncoded(entries: Uint8Array, count: number): void {
    this.#parts.push(entries);
    this.#counts.push(count);
    this.#count += count;
    this.#bytes += entries.byteLength;
  }

  /** All of them as one block; begins anew. */
  build(first: number, commitIndex: number, round: number): Buffer {
    const block = Buffer.allocUnsafe(headerBytes + this.#bytes);
    block.writeDoubleBE(first, 0);
    block.writeDoubleBE(commitIndex, 8);
    block.writeUInt32BE(this.#count, 16);
    block.writeUInt32BE(round, 20);
    let at = headerBytes;
    for (let place = 0; place < this.#parts.length; place++) {
      const part = this.#parts[place] as Uint8Array;
      if (this.#counts[place] === 0) at = block.writeUInt32BE(part.byteLength, at);
      block.set(part, at);
      at += part.byteLength;
    }
    this.#parts = [];
    this.#counts = [];
    this.#count = 0;
    this.#bytes = 0;
    return block;
  }
}

/** Calls with the place of each entry of a block. */
export function eachEntry(block: Buffer, visit: (start: number, end: number) => void): void {
  for (let at = headerBytes; at < block.byteLength; ) {
    const start = at + 4;
    at = start + block.readUInt32BE(at);
    visit(start, at);
  }
}
