import { firstValueFrom, merge, type Observable } from 'rxjs';
import { after, decodePayload, type EntryBatch, type Index, lastOf, plus } from '../core/index.ts';
import { abortOf } from '../transport/abort-watch.ts';
import { checkSignal } from './call.ts';
import { badRequest, type RequestError, requestError } from './errors.ts';
import type { Commit } from './raft-node.ts';
import type { Codec } from './state-machine.ts';

/** What a commit stream reads from. */
export interface CommitSource<Command> {
  readonly command: Codec<Command>;
  readonly appliedIndex: () => Index;
  /** Emits whenever `appliedIndex` has moved; completes when the node closes. */
  readonly applied$: Observable<unknown>;
  /** Whether the node has closed: nothing can be read any more. */
  readonly isClosed: () => boolean;
  /** Whole batches from the one that holds `from`; `compacted` if the log no longer has it. */
  readonly readLog: (from: Index) => Promise<readonly EntryBatch[] | 'compacted'>;
}

/** From where, and for how long. */
export interface CommitRange {
  readonly from: Index;
  readonly signal: AbortSignal | undefined;
}

/**
 * Committed and applied commands from an index on, in batches, in index order, each once. Nothing is
 * buffered: what the subscriber has not pulled yet stays in the log. Ends when the node closes or the signal
 * aborts; throws `RAFT_COMPACTED` if the log no longer reaches back that far.
 *
 * Throws `RAFT_BAD_REQUEST` at once if `from` is no index, or the signal none.
 */
export function commitsFrom<Command>(
  source: CommitSource<Command>,
  range: CommitRange,
): AsyncGenerator<readonly Commit<Command>[], void> {
  if (!Number.isSafeInteger(range.from) || range.from < 1)
    throw badRequest(`from is ${range.from}, expected an index: the first one is 1`);
  checkSignal(range.signal);
  return pull(source, range);
}

async function* pull<Command>(
  source: CommitSource<Command>,
  { from, signal }: CommitRange,
): AsyncGenerator<readonly Commit<Command>[], void> {
  let next = from;
  while (signal?.aborted !== true && !source.isClosed()) {
    if (next > source.appliedIndex()) {
      await moved(source.applied$, signal);
      continue;
    }
    const batches = await appliedFrom(source, next);
    const last = batches.at(-1);
    if (last === undefined) continue; // The node has closed.
    const commits = batches.flatMap((batch) => commitsOf(batch, source.command));
    const wanted = commits.filter((commit) => commit.index >= next);
    next = after(lastOf(last));
    if (wanted.length > 0) yield wanted;
  }
}

/** Whole applied batches from the one that holds `next`, at least one; none if the node closes meanwhile. */
async function appliedFrom<Command>(
  source: CommitSource<Command>,
  next: Index,
): Promise<readonly EntryBatch[]> {
  const batches = await source.readLog(next).catch((error: unknown) => {
    if (source.isClosed()) return [];
    throw error;
  });
  if (batches === 'compacted') throw compacted(next);
  const applied = batches.filter((batch) => lastOf(batch) <= source.appliedIndex());
  if (applied.length > 0 || source.isClosed()) return applied;
  throw new Error(`the log has no batch that holds ${next}, although it has been applied`);
}

function compacted(index: Index): RequestError {
  const what = `The log no longer holds index ${index}: it has been compacted.`;
  return requestError('RAFT_COMPACTED', 'notCommitted', what);
}

/** The commands of a batch, where they stand in the log. */
function commitsOf<Command>(batch: EntryBatch, codec: Codec<Command>): readonly Commit<Command>[] {
  if (batch.kind !== 'command') return [];
  const { term, logTimeMs } = batch;
  return decodePayload(batch.payload).map((entry, offset) => ({
    index: plus(batch.index, offset),
    term,
    logTimeMs,
    command: codec.decode(entry),
  }));
}

/** Waits for news, or for the end of it. */
async function moved(applied$: Observable<unknown>, signal: AbortSignal | undefined): Promise<void> {
  const news$ = signal === undefined ? applied$ : merge(applied$, abortOf(signal));
  await firstValueFrom(news$, { defaultValue: null });
}
