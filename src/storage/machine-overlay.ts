import { type Index, index0 } from '../core/index.ts';
import { StorageError } from './errors.ts';
import { KeyMap, type TextBounds } from './key-map.ts';
import { type KeyText, keyBytes, keyText } from './key-text.ts';
import type { MachineStore } from './storage.ts';

/** The longest key of a state machine in bytes: what fits a page of LMDB beside the prefix. */
export const machineKeyBytesMax = 1900;

/** What is flushed, beneath the overlay. */
export interface MachineBase {
  get(key: Uint8Array): Uint8Array | undefined;
  /** In the order of the keys. */
  range(bounds: {
    readonly from?: Uint8Array | undefined;
    readonly to?: Uint8Array | undefined;
  }): Iterable<readonly [Uint8Array, Uint8Array]>;
}

/** Which data of a state machine are in use, and how far they go. */
export interface MachineState {
  /** Data are kept under a generation, so that a snapshot can come in beside those in use. Counted from 0. */
  readonly generation: number;
  /** Applied through here. */
  readonly index: Index;
  /** The log's clock there. */
  readonly logTimeMs: number;
}

/** A machine that has applied nothing. */
export const emptyMachine: MachineState = { generation: 0, index: index0, logTimeMs: 0 };

/** Writes of a state machine that go into one transaction; `null` deletes. */
export interface MachineWrites {
  /** What the entries belong to. */
  readonly generation: number;
  readonly entries: Iterable<readonly [KeyText, Uint8Array | null]>;
  /** Of keys and values. */
  readonly bytes: number;
  /** What is in use from now on; `null` if that stays as it is. */
  readonly state: MachineState | null;
}

/** What a transaction is to write: a value, `null` to delete; `undefined` once a fresh key was deleted, which is nothing. */
type Layer = KeyMap<Uint8Array | null | undefined>;

/**
 * A {@link MachineStore} of three layers: what was written since the last flush began, what is being flushed,
 * and the flushed base. So queries see what is applied without waiting for the disk.
 */
export class MachineOverlay implements MachineStore {
  #base: MachineBase;
  #dirty: Layer = new KeyMap();
  /** Keys of the first layer that nothing is under in the others. */
  #fresh = new Set<KeyText>();
  #flushing: Layer = new KeyMap();
  #dirtyBytes = 0;
  #applied = emptyMachine;
  #flushingState = emptyMachine;
  #durable = emptyMachine;

  constructor(base: MachineBase) {
    this.#base = base;
  }

  get appliedIndex(): Index {
    return this.#applied.index;
  }

  /** What the base holds. */
  get durable(): MachineState {
    return this.#durable;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#flushing.size > 0 || this.#applied !== this.#durable;
  }

  get unflushedKeys(): number {
    return this.#dirty.size;
  }

  get unflushedBytes(): number {
    return this.#dirtyBytes;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (key.length > machineKeyBytesMax) return undefined; // Nothing is ever set under it.
    if (this.#dirty.size === 0 && this.#flushing.size === 0) return this.#base.get(key);
    const text = keyText(key);
    let value = this.#dirty.get(text);
    if (value === undefined) value = this.#flushing.get(text);
    return value === undefined ? this.#base.get(key) : (value ?? undefined);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw noValue(value);
    this.#set(textOf(key), value);
  }

  /**
   * As {@link put}, of a key that the caller knows is not there: if it is deleted before the next flush begins, the disk
   * never hears of it, where a deletion of the row would have to be written. If it *is* there, deleting it brings back
   * what it had.
   */
  insert(key: Uint8Array, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw noValue(value);
    const text = textOf(key);
    const isDeletedHere = this.#dirty.get(text) === null; // What is beneath it may still be there.
    this.#set(text, value);
    if (!isDeletedHere) this.#fresh.add(text);
  }

  delete(key: Uint8Array): void {
    const text = textOf(key);
    if (this.#fresh.delete(text)) this.#unset(text);
    else this.#set(text, null);
  }

  #unset(text: KeyText): void {
    this.#dirtyBytes -= text.length + (this.#dirty.get(text)?.length ?? 0);
    this.#dirty.set(text, undefined);
  }

  /** Counts what the next transaction will write: of a key that was set before, only what it is now. */
  #set(text: KeyText, value: Uint8Array | null): void {
    const before = this.#dirty.set(text, value);
    if (before === undefined) this.#dirtyBytes += text.length;
    this.#dirtyBytes += (value?.length ?? 0) - (before?.length ?? 0);
  }

  *range({
    from,
    to,
  }: {
    readonly from?: Uint8Array;
    readonly to?: Uint8Array;
  }): Generator<readonly [Uint8Array, Uint8Array]> {
    const base = this.#base.range({ from: from && boundOf(from), to: to && boundOf(to) });
    if (this.#dirty.size === 0 && this.#flushing.size === 0) return yield* base;
    const bounds: TextBounds = { from: from && keyText(from), to: to && keyText(to) };
    const unflushed = merge(this.#dirty.range(bounds), this.#flushing.range(bounds));
    for (const [text, value] of merge(unflushed, withText(base))) {
      if (value) yield [keyBytes(text), value];
    }
  }

  advance(index: Index, logTimeMs: number): void {
    const { generation } = this.#applied;
    if (index > this.#applied.index) this.#applied = { generation, index, logTimeMs };
  }

  /** Begins anew, on a base that holds everything through an index. What was unflushed is forgotten. */
  restore(base: MachineBase, state: MachineState): void {
    this.#base = base;
    this.#dirty = new KeyMap();
    this.#fresh = new Set();
    this.#dirtyBytes = 0;
    this.#flushing = new KeyMap();
    this.#applied = state;
    this.#flushingState = state;
    this.#durable = state;
  }

  /** Hands out everything unflushed for one transaction. {@link endFlush} comes before the next. */
  beginFlush(): MachineWrites {
    const bytes = this.#dirtyBytes;
    this.#flushing = this.#dirty;
    this.#dirty = new KeyMap();
    this.#fresh = new Set();
    this.#dirtyBytes = 0;
    this.#flushingState = this.#applied;
    return {
      generation: this.#applied.generation,
      entries: writtenBy(this.#flushing),
      bytes,
      state: this.#flushingState === this.#durable ? null : this.#flushingState,
    };
  }

  /** The transaction is durable, and the base shows it. */
  endFlush(): void {
    if (this.#flushing.size > 0) this.#flushing = new KeyMap();
    this.#durable = this.#flushingState;
  }
}

function writtenBy(layer: Layer): MachineWrites['entries'] {
  return {
    *[Symbol.iterator]() {
      for (const [text, value] of layer.entries()) if (value !== undefined) yield [text, value] as const;
    },
  };
}

/** A bound that LMDB takes: beyond the longest key and one byte more, no byte tells keys apart. */
function boundOf(bound: Uint8Array): Uint8Array {
  return bound.length > machineKeyBytesMax ? bound.subarray(0, machineKeyBytesMax + 1) : bound;
}

function textOf(key: Uint8Array): KeyText {
  const isKey = key instanceof Uint8Array && key.length >= 1 && key.length <= machineKeyBytesMax;
  if (isKey) return keyText(key);
  throw new StorageError(
    'RAFT_STORE_KEY',
    `the state machine used a key of ${(key as Uint8Array).length} bytes, and keys are a Uint8Array of 1 to ${machineKeyBytesMax}. ` +
      'Nothing was written under it. Shorten the key, for instance to a hash of it.',
  );
}

/** LMDB would find out in the middle of a transaction, and commit what it was given before. */
function noValue(value: unknown): StorageError {
  const what = value === null ? 'null' : typeof value === 'object' ? value.constructor?.name : typeof value;
  return new StorageError(
    'RAFT_STORE_VALUE',
    `the state machine set a key to a value of type ${what}, and values are a Uint8Array. ` +
      'Nothing was written under the key. Encode the value; to remove a key, call delete.',
  );
}

function* withText(
  entries: Iterable<readonly [Uint8Array, Uint8Array]>,
): Generator<readonly [KeyText, Uint8Array]> {
  for (const [key, value] of entries) yield [keyText(key), value];
}

/** Two ascending sequences as one; where both have a key, the newer one's entry counts. */
function* merge<V>(
  newer: Iterable<readonly [KeyText, V]>,
  older: Iterable<readonly [KeyText, V]>,
): Generator<readonly [KeyText, V]> {
  const rest = older[Symbol.iterator]();
  try {
    let old = rest.next();
    for (const entry of newer) {
      for (; !old.done && old.value[0] < entry[0]; old = rest.next()) yield old.value;
      if (!old.done && old.value[0] === entry[0]) old = rest.next();
      yield entry;
    }
    for (; !old.done; old = rest.next()) yield old.value;
  } finally {
    rest.return?.(); // A reader that stops early lets go of the cursor.
  }
}
