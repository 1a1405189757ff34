/** One measured figure of one system: medians of several samples. */
export interface Row {
  readonly case: string;
  readonly system: string;
  /** Requests outstanding at any time; `null` where that says nothing. */
  readonly outstanding: number | null;
  /** Of a command: 4 of them are the key. `null` where there is none. */
  readonly bytes: number | null;
  readonly perSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** The least and the most of the samples' rates. */
  readonly spread: { readonly min: number; readonly max: number };
  readonly samples: number;
  /** Microseconds of processor time for each, over all three nodes; `null` if it was not measured. */
  readonly cpuUs: number | null;
  /** The same of the clients, where they have a process of their own: whether they are what holds it up. */
  readonly clientsCpuUs: number | null;
  /** Flushes a second that were counted, over all three nodes; `null` if they can't be. */
  readonly flushesPerSecond: number | null;
}

/** A figure that is no rate, such as a size or a count. */
export interface Figure {
  readonly case: string;
  readonly system: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}
