import { describe, expect, it } from 'vitest';
import { AdminQueue, type AdminWork } from '../../../src/streams/admin-queue.ts';
import { NotedRoutes } from './noted-routes.ts';

const patient = { deadlineMs: 1000, signal: undefined };
const change: AdminWork = { type: 'changeMembers', changes: [], expectedIndex: null };
const transfer: AdminWork = { type: 'transferLeadership', to: null };
const notLeader = { type: 'notCommitted', code: 'RAFT_NOT_LEADER', message: '', leaderId: null } as const;

function queueOf(leader: 'self' | string | null) {
  const routes = new NotedRoutes();
  routes.leader = leader;
  const queue = new AdminQueue(routes, 2);
  const add = (work: AdminWork): string[] => {
    const answers: string[] = [];
    queue.add(work, patient, {
      resolve: () => answers.push('done'),
      reject: (error) => answers.push((error as { code: string }).code),
    });
    return answers;
  };
  return { routes, queue, add };
}

describe('a request of an operator that was passed on', () => {
  it('is given up soon after another node leads, since one that hangs never answers', () => {
    const { routes, queue, add } = queueOf('n2');
    const answers = add(change);

    routes.leader = null;
    queue.expire(100);
    routes.leader = 'n3';
    queue.expire(200);
    queue.expire(299);
    expect(answers).toEqual([]);

    queue.expire(300);

    expect(answers).toEqual(['RAFT_UNKNOWN_OUTCOME']);
  });

  it('is answered by the leader of before that lives, in that time', () => {
    const { routes, queue, add } = queueOf('n2');
    const answers = add(transfer);

    routes.leader = 'n3';
    queue.expire(200);
    queue.onReply('n2', 1, { type: 'done' });
    queue.expire(300);

    expect(answers).toEqual(['done']);
  });

  it('waits on while the node that took it leads, or nobody is known to', () => {
    const { routes, queue, add } = queueOf('n2');
    const answers = add(change);

    for (const now of [100, 500]) queue.expire(now);
    routes.leader = null;
    for (const now of [600, 999]) queue.expire(now);
    expect(answers).toEqual([]);
    queue.expire(1000);

    expect(answers).toEqual(['RAFT_TIMEOUT']);
  });

  it('goes to the next leader if it was refused, and a transfer does not', () => {
    const { routes, queue, add } = queueOf('n2');
    const [changed, transferred] = [add(change), add(transfer)];

    for (const seq of [1, 2]) queue.onReply('n2', seq, notLeader);
    routes.leader = 'n3';
    queue.flush();

    expect(routes.frames.map(({ request }) => request.type)).toEqual([
      'changeMembers',
      'transferLeadership',
      'changeMembers',
    ]);
    expect([changed, transferred]).toEqual([[], ['RAFT_NOT_LEADER']]);
  });

  it('is lost with its connection', () => {
    const { queue, add } = queueOf('n2');
    const answers = add(change);

    queue.onLinkDown('n3');
    expect(answers).toEqual([]);
    queue.onLinkDown('n2');

    expect(answers).toEqual(['RAFT_UNKNOWN_OUTCOME']);
  });
});

describe('a request of an operator to this node', () => {
  it('is not given up because another node leads', () => {
    const { queue, add } = queueOf('n2');
    const answers = add({ type: 'compact' });

    for (const now of [100, 500]) queue.expire(now);

    expect(answers).toEqual([]);
  });
});
