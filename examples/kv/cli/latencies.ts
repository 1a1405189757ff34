/** Each bucket begins this much above the one before: what is read from it is off by one per cent at most. */
const step = Math.log(1.02);
const finestMs = 0.001;
const bucketCount = 1_200;

/** Durations, counted in buckets: a long measurement takes no more memory than a short one. */
export class Latencies {
  count = 0;
  maxMs = 0;
  readonly #buckets = new Uint32Array(bucketCount);

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, finestMs) / finestMs) / step);
    const at = Math.min(bucket, bucketCount - 1);
    this.#buckets[at] = (this.#buckets[at] ?? 0) + 1;
    this.count += 1;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** The duration that so large a part of them keeps to, such as 0.99; 0 if there are none. */
  percentileMs(part: number): number {
    if (this.count === 0) return 0;
    let left = Math.ceil(this.count * part);
    for (const [bucket, count] of this.#buckets.entries()) {
      left -= count;
      if (left <= 0) return Math.min(finestMs * Math.exp((bucket + 0.5) * step), this.maxMs);
    }
    return this.maxMs;
  }
}
