import { firstValueFrom, skip } from 'rxjs';
import { RequestError } from './errors.ts';
import type { RaftNode } from './raft-node.ts';

/** A leader that closes, and how long it has for it. */
export interface Leaving {
  readonly node: Pick<RaftNode<never, unknown, never, unknown>, 'state$' | 'status' | 'transferLeadership'>;
  readonly isOver: () => boolean;
  /** Milliseconds that are left; at least 1. */
  readonly msLeft: () => number;
}

/**
 * A leader hands over before it closes, so that nobody waits for an election (thesis §3.10), and stays until another
 * leads: its own vote may be the one that is missing, and a request that was passed on to it is answered, where a
 * connection that breaks would leave it in doubt. Does nothing on a node that does not lead.
 */
export async function handOver(leaving: Leaving): Promise<void> {
  if (leaving.node.status().role !== 'leader') return;
  await askSuccessor(leaving);
  while (isInTime(leaving) && leaving.node.status().leaderId === null) await nextState(leaving);
}

/** Until a successor stands for election, or none can be had. */
async function askSuccessor(leaving: Leaving): Promise<void> {
  while (isInTime(leaving) && canHandOver(leaving)) {
    if (!(await isTooEarly(leaving))) return;
    await nextState(leaving);
  }
}

/** Whether an operator hands over already: a moment later it may work. Whatever else goes wrong, there is an election. */
async function isTooEarly({ node, msLeft }: Leaving): Promise<boolean> {
  try {
    await node.transferLeadership(undefined, { timeoutMs: msLeft() });
    return false;
  } catch (error) {
    return error instanceof RequestError && error.code === 'RAFT_BUSY';
  }
}

function canHandOver({ node }: Leaving): boolean {
  const { role, peers, members } = node.status();
  if (role !== 'leader') return false;
  const reached = peers.filter(({ state }) => state !== 'unreachable').map(({ id }) => id);
  return members.some((member) => member.role === 'voter' && reached.includes(member.id));
}

function isInTime({ isOver, msLeft }: Leaving): boolean {
  return !isOver() && msLeft() > 1;
}

/** At the latest with the next tick. */
async function nextState({ node }: Leaving): Promise<void> {
  await firstValueFrom(node.state$.pipe(skip(1)), { defaultValue: null });
}
