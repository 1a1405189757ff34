import { mergeMap, Observable, type OperatorFunction } from 'rxjs';
import type { ClientCommitted } from './calls.ts';
import type { ClientRequestOptions, RaftClient } from './raft-client.ts';

/** How {@link writeWith} writes. */
export interface WriteWithOptions extends Omit<ClientRequestOptions, 'signal'> {
  /** Commands under way at once; the others wait. Default 256. */
  readonly concurrency?: number;
}

/**
 * Writes each command, some at once, and emits what became of it in the order of the answers. Not shared. Completes when
 * the source has completed and everything is answered; errors with the first command that fails, and gives up the
 * others, as it does when it is unsubscribed from.
 *
 * `mergeMap`, since commands that are under way together share a frame, a flush and an answer. What the source emits
 * beyond the concurrency is kept until its turn: a source that never waits is kept whole.
 */
export function writeWith<Command, Result>(
  // biome-ignore lint/suspicious/noExplicitAny: no queries are asked here.
  client: Pick<RaftClient<Command, Result, any, any>, 'write'>,
  { concurrency = 256, ...limits }: WriteWithOptions = {},
): OperatorFunction<Command, ClientCommitted<Result>> {
  return (command$) =>
    new Observable((subscriber) => {
      const giveUp = new AbortController();
      const write = (command: Command) => client.write(command, { ...limits, signal: giveUp.signal });
      subscriber.add(() => giveUp.abort());
      subscriber.add(command$.pipe(mergeMap(write, concurrency)).subscribe(subscriber));
    });
}
