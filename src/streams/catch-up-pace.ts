/** The rate of writes is taken over windows of this length. */
const windowMs = 1000;
/**
 * Old log is read so many times as fast as new log is written: a follower is sent a little more than three entries
 * a write. What that takes from the writers is in `docs/performance.md` (catch-up).
 */
const timesWriteRate = 3.15;
/** But it may always be read at this rate, in bytes a millisecond: 16 MiB a second. */
const bytesPerMsMin = (16 * 1024 * 1024) / 1000;
/** Answers that came late are made up for, but by no more than so many milliseconds: that would be a burst. */
const lateMsMax = 10;
/** Timers know whole milliseconds, so an answer comes about so much too early at most, unless the clock was set back. */
const earlyMsMax = 2;

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
  /** How much later than due the answers came, in all; below 0 if earlier. Timers are late, and know whole milliseconds. */
  #lateMs = 0;

  /** @param clock - in milliseconds. If it is set back, the pace is wrong for a window, and no longer. */
  constructor(clock: () => number) {
    this.#clock = clock;
    this.#windowAt = clock();
  }

  /** So many bytes of new log were written. */
  onWritten(bytes: number): void {
    this.#roll(this.#clock());
    this.#written += bytes;
  }

  /** When the answer to a read of so many bytes that began then is due; in the past if it is late already. */
  dueAtMs(bytes: number, startedAtMs: number): number {
    const now = this.#clock();
    this.#roll(now);
    const written = Math.max(this.#written, this.#writtenBefore);
    const lateMs = this.#lateMs;
    this.#lateMs = 0;
    if (written === 0) return now;
    const bytesPerMs = Math.max(bytesPerMsMin, (timesWriteRate * written) / windowMs);
    return Math.min(startedAtMs - lateMs, now + earlyMsMax) + bytes / bytesPerMs;
  }

  /** An answer that was due then is given now. */
  onAnswered(dueAtMs: number): void {
    const lateMs = this.#lateMs + this.#clock() - dueAtMs;
    this.#lateMs = Math.max(-earlyMsMax, Math.min(lateMsMax, lateMs));
  }

  #roll(now: number): void {
    const windows = Math.floor((now - this.#windowAt) / windowMs);
    if (windows === 0) return;
    this.#writtenBefore = windows <= 1 ? this.#written : 0; // Below 0 once the clock was set back.
    this.#written = 0;
    this.#windowAt += windows * windowMs;
  }
}
