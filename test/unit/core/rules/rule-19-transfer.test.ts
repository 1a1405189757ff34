import { describe, expect, it } from 'vitest';
import type { Input, State } from '../../../../src/core/index.ts';
import {
  ack,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n1,
  n2,
  n3,
  only,
  run,
  votersOf,
  wait,
  write,
} from '../builders.ts';
import { change } from '../builders-membership.ts';

const transfer = (id: number, to?: string): Input => ({ type: 'transferLeadership', id, ...(to && { to }) });
const timeouts = (result: ReturnType<typeof run>) =>
  messagesOf(result.outputs).filter(({ message }) => message.type === 'timeoutNow');
const current = (): State => run(establishedLeader(), from(n3, ack(1, 1))).state;
/** A leader of two voters and a learner, n3, which holds everything. */
const withLearner = (): State => {
  const configuration = { ...votersOf(n1, n2), learners: [{ ...n3, url: '' }] };
  return run(establishedLeader({ configuration }), from(n3, ack(1, 1))).state;
};

describe('rule 19: a transfer has a timeout, is aborted by demotion, and refuses writes meanwhile', () => {
  it('asks a successor that has everything at once', () => {
    expect(timeouts(run(current(), transfer(1, 'n3')))).toMatchObject([{ to: 'n3', message: { term: 1 } }]);
  });

  it('brings a successor that lacks something up to date first', () => {
    const written = flush(run(current(), write(1, 'x')).state).state;

    const asked = run(written, transfer(2, 'n3'));
    const caughtUp = run(asked.state, from(n3, ack(1, 2)));

    expect(timeouts(asked)).toEqual([]);
    expect(timeouts(caughtUp)).toMatchObject([{ to: 'n3' }]);
  });

  it('refuses writes meanwhile: they are not committed', () => {
    const { outputs } = run(current(), transfer(1, 'n3'), write(2, 'x'));

    expect(only(outputs, 'writeRes')).toMatchObject([
      { id: 2, result: { type: 'notCommitted', reason: { type: 'transferring', to: 'n3' } } },
    ]);
  });

  it('gives up after an election timeout, and takes writes again', () => {
    const asked = run(current(), transfer(1, 'n3')).state;

    const late = wait(run(asked, from(n2, ack(1, 1))).state, 500);
    const { outputs } = run(late.state, write(2, 'x'));

    expect(only(late.outputs, 'adminRes')).toMatchObject([
      { id: 1, result: { reason: { type: 'timeout' } } },
    ]);
    expect(only(outputs, 'persistReq')).toHaveLength(1);
  });

  it('is done when a newer term shows up', () => {
    const { outputs } = run(current(), transfer(1, 'n3'), from(n3, ack(2, 0)));

    expect(only(outputs, 'adminRes')).toEqual([{ type: 'adminRes', id: 1, result: { type: 'ok' } }]);
  });

  it('waits for the second half of a joint change: a successor without that entry would not be elected', () => {
    const joint = run(current(), change(1, { type: 'remove', id: 'n3' }), from(n2, ack(1, 2))).state;

    const asked = run(joint, transfer(2, 'n2'));
    const committed = flush(asked.state);
    const caughtUp = run(committed.state, from(n2, ack(1, 3)));

    expect(committed.state.log.lastIndex).toBe(3);
    expect(timeouts(asked)).toEqual([]);
    expect(timeouts(caughtUp)).toMatchObject([{ to: 'n2' }]);
  });

  it('prefers a voter that has answered of late and has caught up: one that has stopped stays connected', () => {
    const looked = wait(run(current(), from(n2, ack(1, 1))).state, 500).state; // Who has answered is asked anew.
    const silent = run(looked, transfer(2)).state;
    const answering = run(looked, from(n3, ack(1, 1)), transfer(2)).state;

    expect(silent.role).toMatchObject({ transfer: { to: n2 } });
    expect(answering.role).toMatchObject({ transfer: { to: n3 } });
  });

  it('knows who has answered of late when CheckQuorum has just looked, and nobody can have answered since', () => {
    const first = wait(run(current(), from(n2, ack(1, 1))).state, 500).state;
    const second = wait(run(first, from(n3, ack(1, 1))).state, 500).state; // n2 has been silent for all of that.

    expect(second.role).toMatchObject({ quorumElapsedMs: 0 });
    expect(run(second, transfer(2)).state.role).toMatchObject({ transfer: { to: n3 } });
  });

  it('prefers the one that is furthest to one that answers and lags', () => {
    const written = flush(run(current(), from(n2, ack(1, 1)), write(1, 'x')).state).state;
    const looked = wait(run(written, from(n2, ack(1, 2))).state, 500).state;

    const { state } = run(looked, from(n3, ack(1, 1)), transfer(2));

    expect(state.role).toMatchObject({ transfer: { to: n2 } });
  });

  it.each(['demote', 'remove'] as const)(
    'is aborted when the change under way is to %s the successor, which is not asked to stand',
    (type) => {
      const changing = flush(run(current(), change(1, { type, id: 'n3' }), transfer(2, 'n3')).state).state;
      const decided = run(changing, from(n2, ack(1, 2)));

      const caughtUp = run(flush(decided.state).state, from(n3, ack(1, 3)));
      const later = wait(caughtUp.state, 25);
      const { outputs } = run(later.state, write(3, 'x'));

      expect(timeouts(decided)).toEqual([]);
      expect(timeouts(caughtUp)).toEqual([]);
      expect(only(later.outputs, 'adminRes')).toMatchObject([
        { id: 2, result: { type: 'refused', reason: { detail: 'n3 is not a voter any more' } } },
      ]);
      expect(only(outputs, 'persistReq')).toHaveLength(1);
    },
  );

  it('no change of members begins meanwhile', () => {
    const { outputs } = run(current(), transfer(1, 'n3'), change(2, { type: 'demote', id: 'n3' }));

    expect(only(outputs, 'adminRes')).toMatchObject([{ id: 2, result: { reason: { type: 'busy' } } }]);
  });

  it('refuses a second transfer, a learner and a stranger', () => {
    expect(only(run(current(), transfer(1, 'n3'), transfer(2, 'n2')).outputs, 'adminRes')).toMatchObject([
      { id: 2, result: { reason: { type: 'busy' } } },
    ]);
    const { outputs } = run(withLearner(), transfer(1, 'n3'), transfer(2, 'n9'));
    expect(only(outputs, 'adminRes')).toMatchObject([
      { id: 1, result: { reason: { type: 'invalid' } } },
      { id: 2, result: { reason: { type: 'invalid' } } },
    ]);
  });
});
