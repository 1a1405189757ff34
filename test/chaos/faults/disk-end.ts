import type { End } from '../../integration/harness/server-node.ts';

/** Notes that are rows of the report. */
export const abortedInLmdb = 'nodes ended by SIGABRT inside LMDB, on a failed disk';
export const endedBySignal = 'nodes ended by a signal that nobody had sent';

/** What a node says that stops because its disk failed. */
const reasons = /RAFT_STORE_FAILED|RAFT_STOPPED|had to stop/;

/** What the C library says when it finds that its heap was overrun (docs/decisions/0024). */
const heapAlarms =
  /corrupted (size|double-linked)|(malloc|free|realloc|munmap_chunk)\(\): |double free|buffer overflow detected/;

/**
 * What the report notes of a node that ended while its disk failed.
 *
 * It has to say why. LMDB's text for an error can overrun its buffer, which aborts the process before it says a word:
 * that is known, and counted. Any other signal is {@link endedBySignal}, and must not be.
 */
export function noteOfEnd({ code, signal }: End, log: string): string {
  if (reasons.test(log)) return `a node whose disk failed ended with ${code ?? signal}, and said why`;
  if (signal === null) return `a node whose disk failed ended with ${code}, and did not say why`;
  return signal === 'SIGABRT' && heapAlarms.test(log) ? abortedInLmdb : endedBySignal;
}
