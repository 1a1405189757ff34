import type { Index } from '../core/index.ts';
import { StorageError } from './errors.ts';
import type { FrozenMachine } from './medium.ts';
import { chunkBytesMax, encodeChunk, isLarge, takeChunk } from './snapshot-chunk.ts';
import { encodePiece, pieceRoom } from './snapshot-piece.ts';
import type { SnapshotChunk, SnapshotView } from './storage.ts';

/** Where a chunk begins: at a key (`undefined`: the first), and so many bytes into its value. */
interface Place {
  readonly key: Uint8Array | undefined;
  readonly at: number;
}

/** A chunk that is made when it is asked for, and where the next one begins; `undefined` after the last. */
interface Cut {
  readonly encode: () => Uint8Array;
  readonly next: Place | undefined;
}

/** A value that is more than a chunk holds, and the key after it. */
interface LargeValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly next: Uint8Array | undefined;
}

/**
 * A {@link SnapshotView} of a machine's data. Nothing is copied but the chunk that is asked for; of each chunk
 * before, the place where it begins is remembered, so that any of them can be made again.
 */
export class ChunkedView implements SnapshotView {
  readonly index: Index;
  readonly logTimeMs: number;
  readonly #machine: FrozenMachine;
  readonly #onClose: (view: ChunkedView) => void;
  /** Where chunks begin, as far as that is known. */
  readonly #starts: Place[] = [{ key: undefined, at: 0 }];
  /** The value whose pieces are being asked for: read once, not once for each piece. */
  #large: LargeValue | null = null;
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
      this.#cut(this.#starts.length - 1);
    }
    const { encode, next } = this.#cut(number);
    return { number, bytes: encode(), isLast: next === undefined };
  }

  #cut(number: number): Cut {
    const cut = this.#cutAt(this.#starts[number] as Place);
    if (cut.next === undefined) this.#isEndKnown = true;
    else if (number === this.#starts.length - 1) this.#starts.push(cut.next);
    return cut;
  }

  #cutAt({ key, at }: Place): Cut {
    if (this.#large !== null && this.#large.key === key) return pieceAt(this.#large, at);
    const { entries, next } = takeChunk(this.#machine.entriesFrom(key));
    const first = entries[0];
    if (first === undefined || !isLarge(first)) {
      this.#large = null;
      return { encode: () => encodeChunk(entries), next: placeOf(next) };
    }
    const [ownKey, value] = first;
    this.#large = { key: key ?? ownKey, value: value.slice(), next }; // Copied, since it outlives the read.
    return pieceAt(this.#large, at);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#large = null;
    this.#machine.close();
    this.#onClose(this);
  }
}

function pieceAt({ key, value, next }: LargeValue, at: number): Cut {
  const end = Math.min(at + pieceRoom(key, chunkBytesMax), value.byteLength);
  const isEnd = end === value.byteLength;
  return {
    encode: () => encodePiece({ key, bytes: value.subarray(at, end), isEnd }),
    next: isEnd ? placeOf(next) : { key, at: end },
  };
}

function placeOf(key: Uint8Array | undefined): Place | undefined {
  return key === undefined ? undefined : { key, at: 0 };
}

function notOpen(): StorageError {
  return new StorageError(
    'RAFT_STORE_CLOSED',
    'this view of the state machine was closed. Nothing was read. Take a new one with viewMachine().',
  );
}
