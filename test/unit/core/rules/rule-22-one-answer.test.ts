import { describe, expect, it } from 'vitest';
import { type Input, index, type Output, step } from '../../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  batchOf,
  establishedLeader,
  flush,
  from,
  n2,
  node,
  only,
  run,
  wait,
  write,
} from '../builders.ts';
import { change } from '../builders-membership.ts';

const resultsOf = (outputs: readonly Output[]) =>
  only(outputs, 'writeRes').map(({ id, result }) => [id, result.type]);

describe('rule 22: each request gets exactly one answer, and it is true', () => {
  it('a write that was never appended is not committed: here no node leads', () => {
    const { outputs } = step(node(), write(1, 'x'));

    expect(outputs).toEqual([
      {
        type: 'writeRes',
        id: 1,
        result: { type: 'notCommitted', reason: { type: 'notLeader', leaderId: null } },
      },
    ]);
  });

  it('a follower names the leader it knows', () => {
    const { outputs } = run(node(), from(n2, appendEntries({ term: 1 })), write(1, 'x'));

    expect(only(outputs, 'writeRes')).toMatchObject([{ result: { reason: { leaderId: 'n2' } } }]);
  });

  it('a write beyond the limit is not appended, and not committed', () => {
    const state = establishedLeader({ config: { pendingWritesMax: 1 } });

    const { state: after, outputs } = run(state, write(1, 'x'), write(2, 'y'));

    expect(only(outputs, 'writeRes')).toMatchObject([{ id: 2, result: { reason: { type: 'overloaded' } } }]);
    expect(after.log.lastIndex).toBe(2);
  });

  it('a read beyond the limit is refused', () => {
    const state = establishedLeader({ config: { pendingReadsMax: 1 } });

    const { outputs } = run(state, { type: 'read', id: 1 }, { type: 'read', id: 2 });

    expect(only(outputs, 'readRes')).toMatchObject([{ id: 2, result: { reason: { type: 'overloaded' } } }]);
  });

  it.each([
    ['no commands', { ...write(1, 'x'), count: 0 }],
    ['fewer bytes than commands', { ...write(1, 'x'), count: 9 }],
    ['no checksum', { ...write(1, 'x'), payloadChecksum: -1 }],
  ])('a write with %s is invalid, and not committed', (_what, malformed) => {
    const state = establishedLeader();

    const { state: after, outputs } = step(state, malformed);

    expect(only(outputs, 'writeRes')).toMatchObject([
      { id: 1, result: { type: 'notCommitted', reason: { type: 'invalid' } } },
    ]);
    expect(after.log).toBe(state.log);
  });

  it('a write is committed once it is applied, not before', () => {
    const committed = run(
      flush(run(establishedLeader(), write(1, 'x', 'y')).state).state,
      from(n2, ack(1, 3)),
    );
    const { applySeq: seq } = committed.state;

    const half = run(committed.state, {
      type: 'applyRes',
      seq,
      appliedIndex: index(2),
      durableIndex: index(0),
    });
    const whole = run(half.state, { type: 'applyRes', seq, appliedIndex: index(3), durableIndex: index(0) });

    expect([...committed.outputs, ...half.outputs].filter(({ type }) => type === 'writeRes')).toEqual([]);
    expect(only(whole.outputs, 'writeRes')).toEqual([
      { type: 'writeRes', id: 1, result: { type: 'committed', index: 2, term: 1 } },
    ]);
  });

  it('a write is answered once, whatever is applied afterwards', () => {
    const committed = run(
      flush(run(establishedLeader(), write(1, 'x'), write(2, 'y')).state).state,
      from(n2, ack(1, 3)),
    ).state;
    const applied = (through: number): Input => ({
      type: 'applyRes',
      seq: committed.applySeq,
      appliedIndex: index(through),
      durableIndex: index(0),
    });

    const { outputs } = run(committed, applied(2), applied(2), applied(3), applied(3));

    expect(resultsOf(outputs)).toEqual([
      [1, 'committed'],
      [2, 'committed'],
    ]);
  });

  it('a change of members is unknown when its leader steps down', () => {
    const { state } = run(establishedLeader(), change(1, { type: 'remove', id: 'n3' }));

    const { outputs } = run(state, from(n2, ack(5, 0)));

    expect(only(outputs, 'adminRes')).toEqual([{ type: 'adminRes', id: 1, result: { type: 'unknown' } }]);
  });

  it.each([
    ['a newer term', (state: ReturnType<typeof establishedLeader>) => run(state, from(n2, ack(5, 0)))],
    ['a lost quorum', (state: ReturnType<typeof establishedLeader>) => wait(state, 1000)],
  ])('what was appended is unknown when its leader steps down because of %s', (_what, depose) => {
    const { state } = run(establishedLeader(), write(1, 'x'), write(2, 'y'));

    const { state: after, outputs } = depose(state);

    expect(resultsOf(outputs)).toEqual([
      [1, 'unknown'],
      [2, 'unknown'],
    ]);
    expect(after.writes).toEqual([]);
  });

  it('what is committed and not applied yet is answered as committed though its leader has stepped down', () => {
    const { state } = run(
      flush(run(establishedLeader(), write(1, 'x'), write(2, 'y')).state).state,
      from(n2, ack(1, 2)),
    );

    const deposed = run(state, from(n2, ack(5, 0)));
    const { applySeq: seq } = deposed.state;
    const applied = run(deposed.state, {
      type: 'applyRes',
      seq,
      appliedIndex: index(2),
      durableIndex: index(0),
    });

    expect(resultsOf(deposed.outputs)).toEqual([[2, 'unknown']]);
    expect(resultsOf(applied.outputs)).toEqual([[1, 'committed']]);
  });

  it('a truncated entry has been answered as unknown already, and gets no second answer', () => {
    const deposed = run(run(establishedLeader(), write(1, 'x')).state, from(n2, ack(5, 0))).state;

    const { state, outputs } = run(
      deposed,
      from(n2, appendEntries({ term: 6, prev: [1, 1], batches: [batchOf(2, 6)], commit: 2 })),
    );
    const { applySeq: seq } = state;
    const applied = run(state, { type: 'applyRes', seq, appliedIndex: index(2), durableIndex: index(0) });

    expect(resultsOf([...outputs, ...applied.outputs])).toEqual([]);
  });
});
