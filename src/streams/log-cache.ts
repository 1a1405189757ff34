import { type EntryBatch, encodedBytes, type Index, lastOf, type PersistReq } from '../core/index.ts';

/** How much of the log is kept in memory, in bytes, beyond what is not durable yet. */
export interface CacheLimits {
  /** Of what is applied: the less memory is in use, the more of it the processor's caches hold. */
  readonly bytesMax: number;
  /** With what is not applied yet. Beyond it, application has to read the disk. */
  readonly unappliedBytesMax: number;
}

/**
 * The recent batches of the log, in memory: all that storage does not hold yet, what is still to be applied, and a little
 * before that, within limits. It serves replication, application and commit streams without the disk.
 */
export class LogCache {
  #batches: (EntryBatch | undefined)[] = [];
  /** Where `#batches` begins to count: what was evicted before it is dropped now and then. */
  #first = 0;
  #bytes = 0;
  readonly #limits: CacheLimits;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  /** Follows the log as a disk request changes it. */
  write(request: PersistReq): void {
    if (request.truncateFrom !== undefined) this.#truncateFrom(request.truncateFrom);
    for (const batch of request.batches) {
      this.#batches.push(batch);
      this.#bytes += encodedBytes(batch);
    }
  }

  #truncateFrom(index: Index): void {
    while (this.#batches.length > this.#first) {
      const batch = this.#batches.at(-1) as EntryBatch;
      if (batch.index < index) return;
      this.#batches.pop();
      this.#bytes -= encodedBytes(batch);
    }
  }

  /** Forgets everything through an index; with `isWhole`, everything: the log begins anew. */
  drop(through: Index, isWhole: boolean): void {
    while (this.#first < this.#batches.length) {
      const batch = this.#batches[this.#first] as EntryBatch;
      if (!isWhole && lastOf(batch) > through) break;
      this.#dropFirst(batch);
    }
    this.#closeUp();
  }

  #dropFirst(batch: EntryBatch): void {
    this.#bytes -= encodedBytes(batch);
    this.#batches[this.#first] = undefined; // Its memory is free at once, its place later.
    this.#first += 1;
  }

  /** Lets go of the oldest batches over the limits, as long as they are durable. */
  evict({ durableIndex, lastApplied }: { readonly durableIndex: Index; readonly lastApplied: Index }): void {
    const { bytesMax, unappliedBytesMax } = this.#limits;
    while (this.#bytes > bytesMax && this.#first < this.#batches.length) {
      const batch = this.#batches[this.#first] as EntryBatch;
      const last = lastOf(batch);
      if (last > durableIndex || (last > lastApplied && this.#bytes <= unappliedBytesMax)) break;
      this.#dropFirst(batch);
    }
    this.#closeUp();
  }

  #closeUp(): void {
    if (this.#first > 1024 && this.#first * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
  }

  /**
   * Batches from the one that holds `from`, at least one, and more while their payloads stay within
   * `maxBytes`. `undefined` if the cache does not reach back that far, or on to it.
   */
  read({
    from,
    maxBytes,
  }: {
    readonly from: Index;
    readonly maxBytes: number;
  }): readonly EntryBatch[] | undefined {
    const place = this.#placeOf(from);
    if (place === undefined) return undefined;
    let end = place;
    for (let bytes = 0; end < this.#batches.length; end++) {
      bytes += (this.#batches[end] as EntryBatch).payload.length;
      if (bytes > maxBytes && end > place) break;
    }
    return this.#batches.slice(place, end) as EntryBatch[];
  }

  /** Where the cache begins: from here on it is what the log reads as. `undefined` if it is empty. */
  get firstIndex(): Index | undefined {
    return this.#batches[this.#first]?.index;
  }

  /** The batch that holds an index; `undefined` if it is not here. */
  batchAt(index: Index): EntryBatch | undefined {
    const place = this.#placeOf(index);
    return place === undefined ? undefined : this.#batches[place];
  }

  /** By bisection: the last batch that begins at or before the index. */
  #placeOf(index: Index): number | undefined {
    let low = this.#first;
    let high = this.#batches.length - 1;
    if (high < low || (this.#batches[low] as EntryBatch).index > index) return undefined;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#batches[middle] as EntryBatch).index <= index) low = middle;
      else high = middle - 1;
    }
    return lastOf(this.#batches[low] as EntryBatch) >= index ? low : undefined;
  }
}
