import { entryBytes, putEntry } from '../core/index.ts';

/** Room for a command or two. */
const bytesMin = 256;
/** Room is made for at most so much at first; the rest as it is needed. */
const firstBytesMax = 256 * 1024;

/**
 * The payload of a batch while commands come (`EntryBatch`). Each is copied once; a list of copies that becomes a payload later
 * takes two arrays for each.
 */
export class GrowingPayload {
  #room: Uint8Array;
  #length = 0;

  /** @param expectedBytes - so many it will probably have. */
  constructor(expectedBytes: number) {
    this.#room = new Uint8Array(Math.min(firstBytesMax, Math.max(bytesMin, expectedBytes)));
  }

  /** Takes a copy of a command. What was given as {@link bytes} before does not change. */
  add(command: Uint8Array): void {
    const end = this.#length + entryBytes(command);
    if (end > this.#room.length) this.#grow(end);
    this.#length = putEntry(this.#room, this.#length, command);
  }

  #grow(bytes: number): void {
    const room = new Uint8Array(Math.max(bytes, 2 * this.#room.length));
    room.set(this.#room);
    this.#room = room;
  }

  /** The payload as it is now. Whoever keeps it keeps less than twice the memory. */
  get bytes(): Uint8Array {
    const isMostlyEmpty = 2 * this.#length <= this.#room.length;
    return isMostlyEmpty ? this.#room.slice(0, this.#length) : this.#room.subarray(0, this.#length);
  }
}
