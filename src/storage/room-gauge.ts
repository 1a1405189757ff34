import { statfs } from 'node:fs/promises';

/** Milliseconds after which a disk with plenty of room is looked at again: others may have filled it. */
const lookMsMax = 1_000;

/** More than others are likely to write in that time. With less room the disk is looked at each time. */
const plentyBytes = 1024 * 1024 * 1024;

/** What a disk keeps free beside a transaction: LMDB copies the pages that it changes. */
const spareBytes = 2 * 1024 * 1024;

/** Free bytes of the disk below a folder, for this process. */
export async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bfree, bsize } = await statfs(folder);
  const blocks = process.getuid?.() === 0 ? bfree : bavail; // Root may use what is kept back from others.
  return blocks * bsize;
}

/**
 * Tells whether a disk has room for a transaction, before LMDB begins it. LMDB must not be the first to find that
 * out: of its errors it makes a text that overruns its buffer, and the process ends (docs/decisions/0024).
 *
 * Looks at a disk with plenty of room once a second, at any other each time.
 */
export class RoomGauge {
  readonly #freeBytes: () => Promise<number>;
  readonly #now: () => number;
  #knownBytes = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** The answer to whoever asked last. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(freeBytes: () => Promise<number>, now: () => number = () => performance.now()) {
    this.#freeBytes = freeBytes;
    this.#now = now;
  }

  /** Whether there is room for so many bytes, which are then counted as written. Answers in the order it is asked. */
  hasRoomFor(bytes: number): Promise<boolean> {
    const answer = this.#takeAfter(this.#last, 2 * bytes); // In the log, and in the state machine.
    this.#last = answer;
    return answer;
  }

  async #takeAfter(others: Promise<unknown>, bytes: number): Promise<boolean> {
    await others;
    const isOld = this.#now() - this.#lookedAtMs >= lookMsMax;
    if (isOld || this.#knownBytes - bytes < plentyBytes) await this.#look();
    this.#knownBytes -= bytes;
    return this.#knownBytes >= spareBytes;
  }

  async #look(): Promise<void> {
    this.#knownBytes = await this.#freeBytes().catch(() => Number.POSITIVE_INFINITY); // Not every system tells.
    this.#lookedAtMs = this.#now();
  }
}
