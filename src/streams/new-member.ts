import {
  catchError,
  firstValueFrom,
  from,
  map,
  merge,
  NEVER,
  type Observable,
  throwError,
  timeout,
} from 'rxjs';
import type { MemberChange } from '../core/index.ts';
import { abortOf } from '../transport/abort-watch.ts';
import { requestError } from './errors.ts';
import type { NodeNetwork } from './node-network.ts';
import type { Settings } from './options.ts';
import type { MembershipChange } from './raft-node.ts';

/** What {@link resolveChange} works with. */
export interface NewMemberOptions {
  readonly network: NodeNetwork;
  readonly settings: Settings;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Settles when the node ends. */
  readonly closed: Promise<void>;
}

/** An operator's change with the store of a new member filled in: the node itself is asked for it. */
export async function resolveChange(
  change: MembershipChange,
  options: NewMemberOptions,
): Promise<MemberChange> {
  if (change.type !== 'add') return change;
  const { id, url, role = 'voter' } = change;
  const storeId = change.storeId ?? (await askForStore({ id, url }, options));
  return { type: 'add', member: { id, url, storeId }, role };
}

/** Asks the node that is to join for its store, until it answers, or nobody wants to know any more. */
async function askForStore(
  { id, url }: { readonly id: string; readonly url: string },
  { network, settings, timeoutMs, signal, closed }: NewMemberOptions,
): Promise<string> {
  const { storeId$, stop } = network.learnStore({ id, url });
  const what = `No node called ${id} answered at ${url} within ${Math.round(timeoutMs)} ms. Start it to join, then ask again.`;
  const late = () => throwError(() => requestError('RAFT_TIMEOUT', 'notCommitted', what));
  const limit = { first: timeoutMs, scheduler: settings.timeScheduler, with: late };
  try {
    return await firstValueFrom(merge(storeId$, givenUp(signal), over(closed)).pipe(timeout(limit)));
  } finally {
    stop();
  }
}

function givenUp(signal: AbortSignal | undefined): Observable<never> {
  if (signal === undefined) return NEVER;
  return abortOf(signal).pipe(
    map(() => {
      throw requestError('RAFT_ABORTED', 'notCommitted', 'The caller gave the request up.');
    }),
  );
}

/** The node ends, whatever the reason. */
function over(closed: Promise<void>): Observable<never> {
  const error = requestError('RAFT_CLOSED', 'notCommitted', 'The node closed.');
  return from(closed).pipe(
    catchError(() => [undefined]),
    map(() => {
      throw error;
    }),
  );
}
