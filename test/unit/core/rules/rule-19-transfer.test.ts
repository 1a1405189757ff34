import { describe, expect, it } from 'vitest';
import type { Input, State } from '../../../../src/core/index.ts';
import {
  ack,
  establishedLeader,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  n3,
  only,
  run,
  wait,
  write,
} from '../builders.ts';
import { change } from '../builders-membership.ts';

const transfer = (id: number, to?: string): Input => ({ type: 'transferLeadership', id, ...(to && { to }) });
const timeouts = (result: ReturnType<typeof run>) =>
  messagesOf(result.outputs).filter(({ message }) => message.type === 'timeoutNow');
const current = (): State => run(establishedLeader(), from(n3, ack(1, 1))).state;

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

  it('gives up when the successor is not a voter any more', () => {
    const demoting = flush(run(current(), change(1, { type: 'demote', id: 'n3' })).state).state;
    const joint = run(demoting, from(n2, ack(1, 2)), transfer(2, 'n2')).state;
    const { state } = run(establishedLeader(), transfer(9, 'n2'));

    expect(joint.role).toMatchObject({ transfer: { to: { id: 'n2' } } });
    expect(only(run(state, change(3, { type: 'demote', id: 'n2' })).outputs, 'adminRes')).toMatchObject([
      { id: 3, result: { reason: { type: 'busy' } } },
    ]);
  });

  it('refuses a second transfer, a learner and a stranger', () => {
    expect(only(run(current(), transfer(1, 'n3'), transfer(2, 'n2')).outputs, 'adminRes')).toMatchObject([
      { id: 2, result: { reason: { type: 'busy' } } },
    ]);
    expect(only(run(leader(), transfer(1, 'n9')).outputs, 'adminRes')).toMatchObject([
      { id: 1, result: { reason: { type: 'invalid' } } },
    ]);
  });
});
