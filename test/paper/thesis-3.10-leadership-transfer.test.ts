import { describe, expect, it } from 'vitest';
import { type Input, type Message, type State, step, term } from '../../src/core/index.ts';
import { BareCluster, type Envelope } from '../../src/testing/bare-cluster.ts';
import {
  ack,
  appendEntries,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  node,
  only,
  run,
  wait,
  write,
} from '../unit/core/builders.ts';

const transferTo = (to: string): Input => ({ type: 'transferLeadership', id: 1, to });
const timeoutNow = (inTerm: number): Message => ({ type: 'timeoutNow', term: term(inTerm) });

/** A leader of term 1, which n2 follows with everything, and n3 with everything as well. */
const prior = (): State => run(establishedLeader(), from(n3, ack(1, 1))).state;

/** A node that follows n2 in term 1. */
const target = (): State => flush(run(node(), from(n2, appendEntries({ term: 1 }))).state).state;

describe('thesis §3.10 Leadership transfer extension', () => {
  it('The prior leader stops accepting new client requests.', () => {
    const { outputs } = run(prior(), transferTo('n3'), write(2, 'x'));

    expect(only(outputs, 'writeRes')).toMatchObject([{ id: 2, result: { type: 'notCommitted' } }]);
  });

  it('The prior leader fully updates the target server’s log to match its own, using the normal log replication mechanism.', () => {
    const behind = flush(run(prior(), write(2, 'x')).state).state;

    const asked = run(behind, transferTo('n3'));
    const updated = run(asked.state, from(n3, ack(1, 2)));

    expect(messagesOf(asked.outputs)).toEqual([]);
    expect(messagesOf(updated.outputs)).toContainEqual({
      to: 'n3',
      message: { type: 'timeoutNow', term: 1 },
    });
  });

  it('The prior leader sends a TimeoutNow request to the target server.', () => {
    expect(messagesOf(run(prior(), transferTo('n3')).outputs)).toEqual([
      { to: 'n3', message: { type: 'timeoutNow', term: 1 } },
    ]);
  });

  it('This request has the same effect as the target server’s election timer firing: the target server starts a new election (incrementing its term and becoming a candidate).', () => {
    const { state } = step(target(), from(n2, timeoutNow(1)));

    expect(state).toMatchObject({ currentTerm: 2, role: { type: 'candidate' } });
    expect(messagesOf(flush(state).outputs)).toMatchObject([
      { message: { type: 'requestVote', term: 2 } },
      { message: { type: 'requestVote', term: 2 } },
    ]);
  });

  it('Only the leader of the term may ask: a request that is late, or from another, has no effect.', () => {
    const state = target();

    expect(step(state, from(n3, timeoutNow(1))).state).toEqual(state);
    expect(step(state, from(n2, timeoutNow(0))).state).toEqual(state);
  });

  it('Its next message to the prior leader will include its new term number, causing the prior leader to step down. At this point, leadership transfer is complete.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');

    const transferred = cluster.transfer('n1', 'n3');
    cluster.settle();

    expect(cluster.answer(transferred)).toEqual({ type: 'ok' });
    expect(cluster.state('n1').role.type).toBe('follower');
    expect(cluster.state('n3')).toMatchObject({ currentTerm: 2, role: { type: 'leader' } });
  });

  it('If leadership transfer does not complete after about an election timeout, the prior leader aborts the transfer and resumes accepting client requests.', () => {
    const waiting = run(prior(), transferTo('n3'), from(n2, ack(1, 1))).state;

    const aborted = wait(waiting, 500);
    const { outputs } = run(aborted.state, write(2, 'x'));

    expect(only(aborted.outputs, 'adminRes')).toMatchObject([
      { id: 1, result: { type: 'refused', reason: { type: 'timeout' } } },
    ]);
    expect(aborted.state.role.type).toBe('leader');
    expect(only(outputs, 'persistReq')).toHaveLength(1);
  });

  it('If the prior leader was mistaken and the target server is actually operational, then at worst this mistake will result in an extra election, after which client operations will be restored.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.settle();
    cluster.transfer('n1', 'n3');
    const late = cluster.oldest('n1', 'n3') as Envelope;
    cluster.drop(late);
    cluster.cut('n1', 'n3'); // It is asked again with each heartbeat.
    cluster.wait('n1', 600); // Given up.
    const written = cluster.write('n1', ['x']);
    cluster.heal();
    cluster.wait('n1', 200);

    cluster.deliver(late);
    cluster.settle();
    const again = cluster.write('n3', ['y']);
    cluster.settle();

    expect(late.message.type).toBe('timeoutNow');
    expect([written, again].map((id) => cluster.answer(id))).toMatchObject([
      { type: 'committed', index: 2 },
      { type: 'committed', index: 4 },
    ]);
  });
});
