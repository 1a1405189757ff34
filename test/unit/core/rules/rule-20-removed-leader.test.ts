import { describe, expect, it } from 'vitest';
import { index, initialState, term } from '../../../../src/core/index.ts';
import { append, emptyLog } from '../../../../src/core/log.ts';
import {
  ack,
  batchOf,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n1,
  n2,
  n3,
  node,
  only,
  run,
  votersOf,
  wait,
  write,
} from '../builders.ts';
import { change, configurationBatch } from '../builders-membership.ts';

/** A leader whose removal is committed as far as the joint configuration; the new one is on its way. */
function leaving() {
  const answered = run(establishedLeader(), from(n3, ack(1, 1))).state; // n3 as well as n2.
  const asked = run(answered, change(1, { type: 'remove', id: 'n1' })).state;
  return flush(run(flush(asked).state, from(n2, ack(1, 2)), from(n3, ack(1, 2))).state).state;
}

describe('rule 20: a removed leader commits its removal, then hands over', () => {
  it('leads on until its removal is committed, without counting itself', () => {
    const half = run(leaving(), from(n2, ack(1, 3))).state;

    expect(half.role).toMatchObject({ type: 'leader', isLeaving: false, transfer: null });
    expect(half.commitIndex).toBe(2);
  });

  it('then answers, and asks the voter that is furthest to stand', () => {
    const { outputs } = run(leaving(), from(n2, ack(1, 3)), from(n3, ack(1, 3)));

    expect(only(outputs, 'adminRes')).toEqual([{ type: 'adminRes', id: 1, result: { type: 'ok' } }]);
    expect(messagesOf(outputs)).toContainEqual({ to: 'n2', message: { type: 'timeoutNow', term: 1 } });
  });

  it('asks the voter that is furthest, not another', () => {
    const { outputs } = run(leaving(), write(2, 'x'), from(n3, ack(1, 4)), from(n2, ack(1, 3)));

    const asked = messagesOf(outputs).filter(({ message }) => message.type === 'timeoutNow');
    expect(new Set(asked.map(({ to }) => to))).toEqual(new Set(['n3']));
  });

  it('without a successor it follows, and speaks for nobody any more: a read is answered once', () => {
    const read = run(leaving(), { type: 'read', id: 7 }, { type: 'peerDown', id: 'n2' }).state;
    const cut = run(
      read,
      from(n2, ack(1, 3)),
      { type: 'peerDown', id: 'n2' },
      { type: 'peerDown', id: 'n3' },
    ).state;
    const deaf = {
      ...cut,
      role: {
        ...cut.role,
        peers: cut.role.type === 'leader' ? cut.role.peers.map((peer) => ({ ...peer, isActive: false })) : [],
      },
    } as typeof cut;

    const { state, outputs } = run(deaf, from(n3, ack(1, 3, 1)), from(n3, ack(1, 3, 2)));

    expect([...only(outputs, 'readRes'), ...only(outputs, 'readStateMachineReq')].length).toBeLessThanOrEqual(
      1,
    );
    expect(state.commitIndex).toBe(3);
  });

  it('a transfer that was under way when it left is answered too', () => {
    const handing = run(leaving(), { type: 'transferLeadership', id: 8, to: 'n2' }).state;
    const left = run(handing, from(n2, ack(1, 3)), from(n3, ack(1, 3)));

    const late = wait(left.state, 600);

    expect(only([...left.outputs, ...late.outputs], 'adminRes').map(({ id }) => id)).toEqual([1, 8]);
    expect(late.state.role.type).toBe('follower');
  });

  it('one whose removal nobody else holds may lead again, to commit it (thesis §4.2.2)', () => {
    const removal = configurationBatch(3, 1, votersOf(n2));
    const joint = { ...votersOf(n2), votersOutgoing: votersOf(n1, n2).voters };
    const state = initialState({
      ...node(),
      seed: 1,
      hardState: { currentTerm: term(1), votedFor: n1 },
      log: [batchOf(1, 1), configurationBatch(2, 1, joint), removal].reduce(append, emptyLog),
      configurations: [
        { index: index(0), configuration: votersOf(n1, n2) },
        { index: index(2), configuration: joint },
        { index: index(3), configuration: votersOf(n2) },
      ],
      appliedIndex: index(2),
    });

    const asked = run(state, { type: 'campaign', id: 1 });

    expect(asked.state.role).toMatchObject({ type: 'preCandidate', votes: [] });
    expect(messagesOf(asked.outputs)).toMatchObject([{ to: 'n2', message: { type: 'preVote', term: 2 } }]);
  });
});
