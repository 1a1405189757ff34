import { type EntryBatch, lastOf } from './batch.ts';
import { after, before, type Index, index0, lower, type Term, term0 } from './types.ts';

/** Where a term begins: the index of its first entry. */
export interface TermStart {
  readonly index: Index;
  readonly term: Term;
}

/**
 * All that the core keeps of the log: where it begins and ends, and where its term changes. Its size is
 * the number of terms, not of entries; it grows by sharing.
 */
export interface LogIndex {
  /** The last index that is not in the log any more: everything up to here is in a snapshot. 0 at first. */
  readonly startIndex: Index;
  /** The term of the entry at `startIndex`. */
  readonly startTerm: Term;
  /** The index of the last entry; `startIndex` in an empty log. */
  readonly lastIndex: Index;
  /** Ascending in both fields; the first one is at `startIndex + 1`. Empty in an empty log. */
  readonly terms: readonly TermStart[];
  /** The `logTimeMs` of the last batch: the log's own clock. */
  readonly lastLogTimeMs: number;
}

/** A log without entries. */
export const emptyLog: LogIndex = {
  startIndex: index0,
  startTerm: term0,
  lastIndex: index0,
  terms: [],
  lastLogTimeMs: 0,
};

/** The term of the last entry (§5.4.1). */
export function lastTerm(log: LogIndex): Term {
  return log.terms.at(-1)?.term ?? log.startTerm;
}

/** The term of an entry; `undefined` beyond either end of the log. O(log of the number of terms). */
export function termAt(log: LogIndex, index: Index): Term | undefined {
  if (index === log.startIndex) return log.startTerm;
  if (index < log.startIndex || index > log.lastIndex) return undefined;
  return log.terms[placeOf(log.terms, index)]?.term;
}

/** Where in `terms` the term of `index` stands: the last one that begins at or before it. */
function placeOf(terms: readonly TermStart[], index: Index): number {
  let low = 0;
  let high = terms.length - 1;
  if (high >= 0 && (terms[high] as TermStart).index <= index) return high; // Nearly always: the newest term.
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((terms[middle] as TermStart).index <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The log with one more batch. The caller has checked that it follows the last entry (rule 14). */
export function append(log: LogIndex, batch: EntryBatch): LogIndex {
  const isNewTerm = batch.term !== lastTerm(log) || log.terms.length === 0;
  return {
    startIndex: log.startIndex,
    startTerm: log.startTerm,
    lastIndex: lastOf(batch),
    terms: isNewTerm ? [...log.terms, { index: batch.index, term: batch.term }] : log.terms,
    lastLogTimeMs: batch.logTimeMs,
  };
}

/**
 * The log with more batches; as {@link append}. The list of terms is copied once: a follower that was away through many elections gets
 * thousands of batches in a message, each of another term.
 */
export function appendAll(log: LogIndex, batches: readonly EntryBatch[]): LogIndex {
  return batches.length === 1 ? append(log, batches[0] as EntryBatch) : appendMany(log, batches);
}

function appendMany(log: LogIndex, batches: readonly EntryBatch[]): LogIndex {
  const starts: TermStart[] = [];
  let term = log.terms.length === 0 ? undefined : lastTerm(log);
  for (const batch of batches) {
    if (batch.term !== term) starts.push({ index: batch.index, term: batch.term });
    term = batch.term;
  }
  const last = batches.at(-1);
  if (last === undefined) return log;
  return {
    startIndex: log.startIndex,
    startTerm: log.startTerm,
    lastIndex: lastOf(last),
    terms: starts.length === 0 ? log.terms : log.terms.concat(starts),
    lastLogTimeMs: last.logTimeMs,
  };
}

/** The log without `from` and everything after it (§5.3). `from` is above `startIndex`. */
export function truncateFrom(log: LogIndex, from: Index): LogIndex {
  return {
    startIndex: log.startIndex,
    startTerm: log.startTerm,
    lastIndex: before(from),
    terms: log.terms.filter((start) => start.index < from),
    lastLogTimeMs: log.lastLogTimeMs, // The clock of the log never goes back.
  };
}

/** The log without its entries through `through`, which a snapshot stands for (§7). `through` is in the log. */
export function compactThrough(log: LogIndex, through: Index): LogIndex {
  const first = after(through);
  const rest = log.terms.filter((start) => start.index > first);
  const term = termAt(log, first);
  return {
    startIndex: through,
    startTerm: termAt(log, through) ?? log.startTerm,
    lastIndex: log.lastIndex,
    terms: term === undefined ? [] : [{ index: first, term }, ...rest],
    lastLogTimeMs: log.lastLogTimeMs,
  };
}

/** A log that begins after a snapshot, and holds nothing yet (§7). */
export function resetTo(snapshot: {
  readonly index: Index;
  readonly term: Term;
  readonly logTimeMs: number;
}): LogIndex {
  const { index, term, logTimeMs } = snapshot;
  return { startIndex: index, startTerm: term, lastIndex: index, terms: [], lastLogTimeMs: logTimeMs };
}

/**
 * The last index, not above `index`, whose term is not above `term`: where two logs may still agree
 * (§5.3, the optimisation of its last paragraphs; whole terms are skipped at once).
 */
export function lastNotAbove(log: LogIndex, { index, term }: { index: Index; term: Term }): Index {
  let candidate = lower(index, log.lastIndex);
  for (let place = log.terms.length - 1; place >= 0; place--) {
    const start = log.terms[place] as TermStart;
    if (start.index > candidate) continue;
    if (start.term <= term) return candidate;
    candidate = before(start.index);
  }
  return candidate;
}

/** Whether a candidate's log is at least as complete as ours (§5.4.1). */
export function isAtLeastAsComplete(
  candidate: { readonly lastLogIndex: Index; readonly lastLogTerm: Term },
  log: LogIndex,
): boolean {
  const ours = lastTerm(log);
  if (candidate.lastLogTerm !== ours) return candidate.lastLogTerm > ours;
  return candidate.lastLogIndex >= log.lastIndex;
}

/** Whether batches follow each other without a gap, from `first` on, in terms that never fall. */
export function isContiguous(
  batches: readonly EntryBatch[],
  { first, prevTerm }: { first: Index; prevTerm: Term },
): boolean {
  let next = first;
  let term = prevTerm;
  for (let at = 0; at < batches.length; at++) {
    const batch = batches[at] as EntryBatch;
    if (batch.index !== next || batch.term < term) return false;
    next = after(lastOf(batch));
    term = batch.term;
  }
  return true;
}
