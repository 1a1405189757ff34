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
import type { Member, MemberChange, NodeId } from '../core/index.ts';
import { abortOf } from '../transport/abort-watch.ts';
import { badRequest, requestError } from './errors.ts';
import type { NodeNetwork } from './node-network.ts';
import type { Settings } from './options.ts';
import type { MembershipChange } from './raft-node.ts';

/** What {@link resolveChanges} works with. */
export interface NewMemberOptions {
  readonly network: NodeNetwork;
  readonly settings: Settings;
  /** Milliseconds that are left; at least 1. */
  readonly msLeft: () => number;
  readonly signal: AbortSignal | undefined;
  /** Settles when the node ends. */
  readonly closed: Promise<void>;
  /** Resolves once this node knows the members as they are now, or later. */
  readonly catchUp: () => Promise<void>;
}

/** Whether the member of the same name is removed first. */
interface Replacing {
  readonly isReplaced: boolean;
}

type Add = Extract<MembershipChange, { readonly type: 'add' }>;

/** An operator's changes with the stores of new members filled in: those nodes themselves are asked for them. */
export async function resolveChanges(
  asked: readonly MembershipChange[],
  options: NewMemberOptions,
): Promise<readonly MemberChange[]> {
  const changes = [...asked]; // The caller may use the list again at once.
  const { network, catchUp } = options;
  const problem = () => firstProblem(changes, (id) => network.lastingMember(id));
  if (problem() !== null) await catchUp(); // It may have been removed, and this node not have heard yet.
  const what = problem();
  if (what !== null) throw badRequest(what);
  return Promise.all(
    changes.map((change, place) => {
      const isReplaced = changes
        .slice(0, place)
        .some(({ type, id }) => type === 'remove' && id === change.id);
      return resolveChange(change, { ...options, isReplaced });
    }),
  );
}

/** Why one of these can't be added, in words: nobody may answer where it is said to be. The leader knows other reasons. */
function firstProblem(
  changes: readonly MembershipChange[],
  lastingMember: (id: NodeId) => Member | undefined,
): string | null {
  const removed = new Set<NodeId>();
  for (const change of changes) {
    if (change.type === 'remove') removed.add(change.id);
    if (change.type !== 'add' || removed.has(change.id)) continue;
    const member = lastingMember(change.id);
    if (member !== undefined && isMistaken(change, member)) return memberAlready(change, member);
  }
  return null;
}

/** Whether it adds what is a member already, elsewhere or with a store that is not known. */
function isMistaken({ storeId, url }: Add, member: Member): boolean {
  return storeId === undefined || (storeId === member.storeId && url !== member.url);
}

function memberAlready({ id, url }: Add, { url: oldUrl }: Member): string {
  const first = 'remove it first if this is to be another store';
  return url === oldUrl
    ? `${id} is a member already, at that very URL: ${first}`
    : `${id} is a member already, at ${oldUrl}: move it (a change of type move) if it is to be reached at ${url}, or ${first}`;
}

async function resolveChange(
  change: MembershipChange,
  options: NewMemberOptions & Replacing,
): Promise<MemberChange> {
  if (change.type !== 'add') return change;
  const { id, url, role = 'voter' } = change;
  const storeId = change.storeId ?? (await askForStore({ id, url }, options));
  return { type: 'add', member: { id, url, storeId }, role };
}

/** Asks the node that is to join for its store, until it answers, or nobody wants to know any more. */
async function askForStore(
  { id, url }: { readonly id: string; readonly url: string },
  { network, settings, msLeft, signal, closed, isReplaced }: NewMemberOptions & Replacing,
): Promise<string> {
  const timeoutMs = msLeft();
  const { storeId$, stop } = network.learnStore({ id, url }, { isReplaced });
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
