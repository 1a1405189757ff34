import type { GroupId, Index, Term } from './types.ts';

/** What the entries of a batch are: a new leader's empty entry (§8), commands, or a configuration (§6). */
export type BatchKind = 'noop' | 'command' | 'configuration';

/**
 * A contiguous run of log entries of one term: the unit of disk, wire, acknowledgement and truncation.
 *
 * It is built once, by the leader of its term, and never split or merged. The core looks at everything
 * but the payload. Entry `n` of the batch has index `index + n`.
 */
export interface EntryBatch {
  readonly group: GroupId;
  /** Of the first entry. */
  readonly index: Index;
  readonly term: Term;
  /** How many entries: at least 1. */
  readonly count: number;
  readonly kind: BatchKind;
  /** The log's own clock: milliseconds, never decreasing along the log, the same on every node. */
  readonly logTimeMs: number;
  /** `count` payloads, each a big-endian u32 length and then as many bytes. */
  readonly payload: Uint8Array;
  /** CRC-32 of `payload`, an unsigned 32-bit integer. */
  readonly payloadChecksum: number;
}

/** The index of the last entry of a batch. */
export function lastOf(batch: EntryBatch): Index {
  return (batch.index + batch.count - 1) as Index;
}
