/** The rate of writes is taken over windows of this length. */
const windowMs = 1000;
/**
 * Old log is read at most so many times as fast as new log is written, and somewhat faster, since waits are whole milliseconds: a follower
 * gains about three entries a write. What that takes from the writers is in `docs/performance.md` (catch-up).
 */
const timesWriteRate = 3;
/** But it may always be read at this rate, in bytes a millisecond: 16 MiB a second. */
const bytesPerMsMin = (16 * 1024 * 1024) / 1000;

/**
 * How fast the log is read for a follower that lags: as fast as it goes while nobody writes, and no faster than
 * it has to while somebody does, so that writers keep the processor. Each follower has one read under way, so a
 * read that is answered late slows only the follower that it is for.
 */
export class CatchUpPace {
  readonly #clock: () => number;
  #windowAt: number;
  #written = 0;
  #writtenBefore = 0;

  /** @param clock - in milliseconds, monotonic. */
  constructor(clock: () => number) {
    this.#clock = clock;
    this.#windowAt = clock();
  }

  /** So many bytes of new log were written. */
  onWritten(bytes: number): void {
    this.#roll(this.#clock());
    this.#written += bytes;
  }

  /** Milliseconds to wait with the answer to a read of so many bytes that began then. */
  waitMs(bytes: number, startedAtMs: number): number {
    const now = this.#clock();
    this.#roll(now);
    const written = Math.max(this.#written, this.#writtenBefore);
    if (written === 0) return 0;
    const bytesPerMs = Math.max(bytesPerMsMin, (timesWriteRate * written) / windowMs);
    return Math.max(0, startedAtMs + bytes / bytesPerMs - now);
  }

  #roll(now: number): void {
    const windows = Math.floor((now - this.#windowAt) / windowMs);
    if (windows <= 0) return;
    this.#writtenBefore = windows === 1 ? this.#written : 0;
    this.#written = 0;
    this.#windowAt += windows * windowMs;
  }
}
