import { open } from 'lmdb';
import { eachEntry } from './block.ts';

/** As ours does: the state machine's data are flushed in a transaction of their own, and the log keeps so much. */
const machineFlushMs = 50;
const keptEntries = 100_000;

const logTable = 1;
const machineTable = 2;

/** Log and state machine of the prototype, in one LMDB environment that is opened as ours is. */
export class PrototypeStore {
  readonly #environment;
  readonly #key = Buffer.alloc(9);
  /** First indexes of the blocks in the log, and how many of them are gone. */
  readonly #firsts: number[] = [];
  #trimmed = 0;
  /** What was set since the last flush, and what is being flushed. */
  #dirty = new Map<number, Uint8Array>();
  #flushing = new Map<number, Uint8Array>();

  constructor(path: string) {
    this.#environment = open<Uint8Array, Uint8Array>({
      path,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      overlappingSync: false,
      maxDbs: 1,
      mapSize: 2 ** 30,
    });
    setInterval(() => void this.#flush(), machineFlushMs).unref();
  }

  /** Resolves once the block survives a power cut. */
  append(first: number, block: Uint8Array): Promise<boolean> {
    this.#firsts.push(first);
    return this.#environment.put(this.#keyOf(logTable, first), block);
  }

  /** Applies every entry of a block: a key of four bytes, and a value. */
  apply(block: Buffer): void {
    eachEntry(block, (start, end) => {
      const value = new Uint8Array(block.buffer, block.byteOffset + start + 4, end - start - 4);
      this.#dirty.set(block.readUInt32BE(start), value);
    });
  }

  get(key: number): Uint8Array | undefined {
    const value = this.#dirty.get(key) ?? this.#flushing.get(key);
    return value ?? this.#environment.getBinary(this.#keyOf(machineTable, key));
  }

  async #flush(): Promise<void> {
    if (this.#dirty.size === 0 || this.#flushing.size > 0) return;
    this.#flushing = this.#dirty;
    this.#dirty = new Map();
    await this.#environment.batch(() => {
      for (const [key, value] of this.#flushing)
        void this.#environment.put(this.#keyOf(machineTable, key), value);
      this.#trim();
    });
    this.#environment.resetReadTxn();
    this.#flushing = new Map();
  }

  /** Drops the log's beginning. What is dropped was applied long ago; when it was flushed does not matter here. */
  #trim(): void {
    const kept = (this.#firsts.at(-1) ?? 0) - keptEntries;
    let at = this.#trimmed;
    for (; (this.#firsts[at] as number) < kept; at++)
      void this.#environment.remove(this.#keyOf(logTable, this.#firsts[at] as number));
    this.#trimmed = at;
    if (at < this.#firsts.length / 2) return;
    this.#firsts.splice(0, at);
    this.#trimmed = 0;
  }

  /** Good until the next call: LMDB copies a key at once. */
  #keyOf(table: number, number: number): Uint8Array {
    this.#key[0] = table;
    this.#key.writeDoubleBE(number, 1); // In the order of the numbers, as long as they are positive.
    return this.#key;
  }
}
