import { open } from 'lmdb';
import { BenchMap, type BenchTable } from '../embedded/bench-machine.ts';
import { eachEntry } from './block.ts';

/** As ours does with so few keys: the state machine's data are flushed in a transaction of their own, and the log keeps so much. */
const machineFlushMs = 250;
const keptEntries = 100_000;

const logTable = 1;
const machineTable = 2;

/** Log and state machine of the prototype, in one LMDB environment that is opened as ours is. */
export class PrototypeStore implements BenchTable {
  readonly #environment;
  readonly #key = Buffer.alloc(9);
  /** First indexes of the blocks in the log, and how many of them are gone. */
  readonly #firsts: number[] = [];
  #trimmed = 0;
  /** What was set since the last flush, and what is being flushed. */
  #dirty = new Map<string, Uint8Array>();
  #flushing = new Map<string, Uint8Array>();
  readonly #map = new BenchMap(this);

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
    return this.#environment.put(this.#keyOf(first), block);
  }

  /** Applies every entry of a block, by the state machine that ours is measured with. */
  apply(block: Buffer): void {
    const commands: Uint8Array[] = [];
    eachEntry(block, (start, end) =>
      commands.push(new Uint8Array(block.buffer, block.byteOffset + start, end - start)),
    );
    this.#map.apply(commands);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#dirty.set(textOf(key), value);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const text = textOf(key);
    const value = this.#dirty.get(text) ?? this.#flushing.get(text);
    return value ?? this.#environment.getBinary(machineKeyOf(text));
  }

  async #flush(): Promise<void> {
    if (this.#dirty.size === 0 || this.#flushing.size > 0) return;
    this.#flushing = this.#dirty;
    this.#dirty = new Map();
    await this.#environment.batch(() => {
      for (const [text, value] of this.#flushing) void this.#environment.put(machineKeyOf(text), value);
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
      void this.#environment.remove(this.#keyOf(this.#firsts[at] as number));
    this.#trimmed = at;
    if (at < this.#firsts.length / 2) return;
    this.#firsts.splice(0, at);
    this.#trimmed = 0;
  }

  /** Good until the next call: LMDB copies a key at once. */
  #keyOf(number: number): Uint8Array {
    this.#key[0] = logTable;
    this.#key.writeDoubleBE(number, 1); // In the order of the numbers, as long as they are positive.
    return this.#key;
  }
}

/** A key as a string, one character a byte: a map can't look arrays up. */
function textOf(key: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(key, 0, key.byteLength);
}

function machineKeyOf(text: string): Uint8Array {
  const key = Buffer.allocUnsafe(1 + text.length);
  key[0] = machineTable;
  key.write(text, 1, 'latin1');
  return key;
}
