import type { Index } from '../core/index.ts';
import { StorageError } from './errors.ts';
import type { FrozenMachine } from './medium.ts';
import { type ChunkEntries, encodeChunk, takeChunk } from './snapshot-chunk.ts';
import type { SnapshotChunk, SnapshotView } from './storage.ts';

/**
 * A {@link SnapshotView} of a machine's data. Nothing is copied but the chunk that is asked for; of each chunk
 * before, the key where it begins is remembered, so that any of them can be made again.
 */
export class ChunkedView implements SnapshotView {
  readonly index: Index;
  readonly logTimeMs: number;
  readonly #machine: FrozenMachine;
  readonly #onClose: (view: ChunkedView) => void;
  /** Where chunks begin, as far as that is known. */
  readonly #starts: (Uint8Array | undefined)[] = [undefined];
  #isEndKnown = false;
  #isOpen = true;

  constructor(machine: FrozenMachine, onClose: (view: ChunkedView) => void) {
    this.index = machine.state.index;
    this.logTimeMs = machine.state.logTimeMs;
    this.#machine = machine;
    this.#onClose = onClose;
  }

  chunk(number: number): SnapshotChunk | undefined {
    if (!this.#isOpen) throw notOpen();
    if (!Number.isSafeInteger(number) || number < 0) return undefined;
    while (this.#starts.length <= number) {
      if (this.#isEndKnown) return undefined;
      this.#take(this.#starts.length - 1);
    }
    const { entries, next } = this.#take(number);
    return { number, bytes: encodeChunk(entries), isLast: next === undefined };
  }

  #take(number: number): ChunkEntries {
    const taken = takeChunk(this.#machine.entriesFrom(this.#starts[number]));
    if (taken.next === undefined) this.#isEndKnown = true;
    else if (number === this.#starts.length - 1) this.#starts.push(taken.next);
    return taken;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#machine.close();
    this.#onClose(this);
  }
}

function notOpen(): StorageError {
  return new StorageError(
    'RAFT_STORE_CLOSED',
    'this view of the state machine was closed. Nothing was read. Take a new one with viewMachine().',
  );
}
