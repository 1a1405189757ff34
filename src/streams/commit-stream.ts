import { firstValueFrom, fromEvent, merge, type Observable, take } from 'rxjs';
import { after, decodePayload, type EntryBatch, type Index, index, lastOf, plus } from '../core/index.ts';
import { requestError } from './errors.ts';
import type { Commit } from './raft-node.ts';
import type { Codec } from './state-machine.ts';

/** What a commit stream reads from. */
export interface CommitSource<Command> {
  readonly command: Codec<Command>;
  readonly appliedIndex: () => Index;
  /** Emits whenever `appliedIndex` has moved; completes when the node closes. */
  readonly applied$: Observable<unknown>;
  /** Whole batches from the one that holds `from`; `compacted` if the log no longer has it. */
  readonly readLog: (from: Index) => Promise<readonly EntryBatch[] | 'compacted'>;
}

/**
 * Committed and applied commands from an index on, in batches, in index order, each once. Nothing is
 * buffered: what the subscriber has not pulled yet stays in the log. Ends when the node closes or the signal
 * aborts; throws `RAFT_COMPACTED` if the log no longer reaches back that far.
 */
export async function* commitsFrom<Command>(
  source: CommitSource<Command>,
  options: { readonly from: Index; readonly signal: AbortSignal | undefined },
): AsyncGenerator<readonly Commit<Command>[]> {
  const { signal } = options;
  let next = options.from;
  while (signal?.aborted !== true) {
    if (next > source.appliedIndex()) {
      if (!(await hasMoved(source.applied$, signal))) return;
      continue;
    }
    const batches = await source.readLog(next);
    if (batches === 'compacted') {
      const what = `The log no longer holds index ${next}: it has been compacted.`;
      throw requestError('RAFT_COMPACTED', 'notCommitted', what);
    }
    const applied = batches.filter((batch) => lastOf(batch) <= source.appliedIndex());
    const commits = applied
      .flatMap((batch) => commitsOf(batch, source.command))
      .filter((commit) => commit.index >= next);
    if (commits.length > 0) yield commits;
    const last = applied.at(-1);
    if (last !== undefined) next = after(lastOf(last));
  }
}

/** The commands of a batch, where they stand in the log. */
export function commitsOf<Command>(batch: EntryBatch, codec: Codec<Command>): readonly Commit<Command>[] {
  if (batch.kind !== 'command') return [];
  const { term, logTimeMs } = batch;
  return decodePayload(batch.payload).map((entry, offset) => ({
    index: plus(batch.index, offset),
    term,
    logTimeMs,
    command: codec.decode(entry),
  }));
}

/** Waits for news; `false` if there will be none. */
function hasMoved(applied$: Observable<unknown>, signal: AbortSignal | undefined): Promise<boolean> {
  const news$ = signal === undefined ? applied$ : merge(applied$, fromEvent(signal, 'abort'));
  return firstValueFrom(news$.pipe(take(1)), { defaultValue: closed }).then((value) => value !== closed);
}

/** The first index of any log. */
export const firstIndex: Index = index(1);

const closed = Symbol('closed');
