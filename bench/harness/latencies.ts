/** Microseconds that one bucket stands for. */
const bucketUs = 10;
const buckets = 200_000;

/**
 * How long things took, in buckets of 10 µs up to two seconds. A list of a million would have to be sorted, and
 * the loop that sorts it is the one whose latency is measured.
 */
export class Latencies {
  readonly #counts = new Uint32Array(buckets);
  #count = 0;

  add(ms: number): void {
    const bucket = Math.min(buckets - 1, Math.floor((ms * 1000) / bucketUs));
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#count += 1;
  }

  /** The milliseconds that so many per cent took at most; 0 if there are none. */
  percentile(percent: number): number {
    const wanted = Math.ceil((this.#count * percent) / 100);
    for (let bucket = 0, seen = 0; bucket < buckets; bucket++) {
      seen += this.#counts[bucket] as number;
      if (seen >= wanted && seen > 0) return ((bucket + 1) * bucketUs) / 1000;
    }
    return 0;
  }
}
