import { setTimeout as pause } from 'node:timers/promises';
import { filter, firstValueFrom, type Observable, of, timeout } from 'rxjs';
import { type ConfigurationAt, type MembershipChange, type NodeStatus, RaftError } from 'rxraft';
import type { KvNode } from '../kv-machine.ts';
import { KvError } from './errors.ts';
import type { MembershipRequest } from './member-changes.ts';

type Member = NodeStatus['members'][number];

/** How long this node may take to learn of what the leader has done already, or less if the request waits less. */
const hearsMsMax = 2_000;

/** Milliseconds between two tries of what another request of an operator holds up. */
const busyPauseMs = 50;

/** The configuration in effect, and the index that brought it; `null` before the node is in a cluster. */
export function configurationAt({ state$ }: Pick<KvNode, 'state$'>): ConfigurationAt | null {
  let latest = null as ConfigurationAt | null;
  state$.subscribe(({ configurations }) => (latest = configurations.at(-1) ?? null)).unsubscribe();
  return latest;
}

/**
 * Changes the members, and resolves once this node knows of it, with the members as they are then.
 *
 * An answer can be lost, most of all when the leader is the one removed: then it is the configuration in effect
 * that tells. So a node that asks again to be added is told that it has been.
 */
export async function changeMembers(
  node: KvNode,
  { changes, ...expectation }: MembershipRequest,
  timeoutMs: number,
): Promise<readonly Member[]> {
  try {
    await whenFree((ms) => node.changeMembers(changes, { ...expectation, timeoutMs: ms }), timeoutMs);
  } catch (error) {
    if (!mayBeDone(error, changes) || !(await isInEffect(node, changes, timeoutMs)))
      throw withMember(error, changes, node.status().members);
  }
  await heard(node.members$, () => isCarriedOut(changes, node.status().members), timeoutMs);
  const removed = changes.filter((change) => change.type === 'remove' && isLast(change, changes));
  return node.status().members.filter(({ id }) => !removed.some((change) => change.id === id));
}

/**
 * Hands leadership over, and resolves once this node knows who leads now. Rejects if that is not the one who was
 * to, or, where nobody was named, the same as before.
 */
export async function transferLeadership(
  node: KvNode,
  to: string | undefined,
  timeoutMs: number,
): Promise<NodeStatus> {
  const before = node.status().leaderId;
  await node.transferLeadership(to, { timeoutMs });
  const isDone = (leaderId: string | null): boolean =>
    to === undefined ? leaderId !== null && leaderId !== before : leaderId === to;
  await heard(node.leader$, isDone, timeoutMs);
  const status = node.status();
  if (isDone(status.leaderId)) return status;
  const message = `${to ?? 'another node'} has not taken over; as far as this node knows, ${status.leaderId ?? 'nobody'} leads`;
  throw new KvError(503, 'RAFT_TRANSFER_FAILED', message);
}

/** Asks again, within the time there is, for as long as another request of an operator is under way. */
export async function whenFree<T>(ask: (timeoutMs: number) => Promise<T>, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = Math.ceil(deadline - performance.now());
    try {
      return await ask(Math.max(1, left));
    } catch (error) {
      const isBusy = error instanceof RaftError && error.code === 'RAFT_BUSY';
      if (!isBusy || left <= busyPauseMs) throw error;
    }
    await pause(busyPauseMs);
  }
}

/** Resolves when `isDone`, or when that takes too long. */
async function heard<T>(
  source$: Observable<T>,
  isDone: (value: T) => boolean,
  timeoutMs: number,
): Promise<void> {
  const first = Math.min(timeoutMs, hearsMsMax);
  const inTime$ = source$.pipe(filter(isDone), timeout({ first, with: () => of(null) }));
  await firstValueFrom(inTime$, { defaultValue: null });
}

/** Whether a change that was not answered with success may be in effect: nobody knows, or it was before. */
function mayBeDone(error: unknown, changes: readonly MembershipChange[]): boolean {
  if (!(error instanceof RaftError)) return false;
  const areKnown = changes.every((change) => change.type === 'add' && change.storeId !== undefined);
  return error.outcome === 'unknown' || (error.code === 'RAFT_BAD_REQUEST' && areKnown);
}

/** A refusal to add who is a member already says where that one is, for programs that know what helps then. */
function withMember(
  error: unknown,
  changes: readonly MembershipChange[],
  members: readonly Member[],
): unknown {
  if (!(error instanceof RaftError) || error.code !== 'RAFT_BAD_REQUEST') return error;
  const isAdded = ({ id }: Member): boolean =>
    changes.some((change) => change.type === 'add' && change.id === id) &&
    !changes.some((change) => change.type === 'remove' && change.id === id);
  const taken = members.find(isAdded);
  return taken === undefined ? error : new KvError(400, error.code, error.message, { memberUrl: taken.url });
}

/** Whether the configuration is such as the changes make it, and committed, as of now. */
async function isInEffect(
  node: KvNode,
  changes: readonly MembershipChange[],
  timeoutMs: number,
): Promise<boolean> {
  const key = Uint8Array.of(0);
  try {
    await node.read({ type: 'exists', key }, { timeoutMs }); // All that is committed is here now.
  } catch {
    return false;
  }
  await heard(node.state$, () => isSettled(node), timeoutMs);
  return isSettled(node) && isCarriedOut(changes, node.status().members);
}

function isSettled(node: KvNode): boolean {
  const at = configurationAt(node);
  return at !== null && at.index <= node.status().commitIndex && at.configuration.votersOutgoing.length === 0;
}

/** Whether the members are such as the changes make them; of several of one node the last counts. */
function isCarriedOut(changes: readonly MembershipChange[], members: readonly Member[]): boolean {
  return changes
    .filter((change) => isLast(change, changes))
    .every((change) =>
      isEffective(
        change,
        members.find(({ id }) => id === change.id),
      ),
    );
}

function isEffective(change: MembershipChange, member: Member | undefined): boolean {
  switch (change.type) {
    case 'add': {
      const { url, storeId = member?.storeId } = change;
      return member !== undefined && url === member.url && storeId === member.storeId;
    }
    case 'remove':
      return member === undefined;
    case 'promote':
      return member?.role === 'voter';
    case 'demote':
      return member?.role === 'learner';
    case 'move':
      return member?.url === change.url;
  }
}

function isLast(change: MembershipChange, changes: readonly MembershipChange[]): boolean {
  return changes.findLast(({ id }) => id === change.id) === change;
}
