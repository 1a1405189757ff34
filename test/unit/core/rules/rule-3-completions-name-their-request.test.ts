import { describe, expect, it } from 'vitest';
import { durableIndex, type State, step } from '../../../../src/core/index.ts';
import { appendEntries, batchOf, flush, from, messagesOf, n2, n3, node, run } from '../builders.ts';

/** A follower of n2 in term 2 with one entry on disk, and the requests that wrote the next ones not back yet. */
function following(...indexes: readonly number[]): State {
  const first = appendEntries({ term: 2, batches: [batchOf(1, 2)] });
  let { state } = flush(run(node(), from(n2, first)).state);
  for (const at of indexes) {
    state = run(
      state,
      from(n2, appendEntries({ term: 2, prev: [at - 1, 2], batches: [batchOf(at, 2)] })),
    ).state;
  }
  return state;
}

/** n3 leads term 3, and its entry stands where n2's stood. */
const replacement = from(n3, appendEntries({ term: 3, prev: [1, 2], batches: [batchOf(2, 3)] }));

describe('rule 3: a completion speaks for what its request wrote, and for nothing newer', () => {
  it('the flush of an entry that is gone does not acknowledge the one in its place', () => {
    const before = following(2);
    const { state } = step(before, replacement);

    const { state: after, outputs } = step(state, { type: 'persistRes', seq: before.persistSeq });

    expect(durableIndex(after)).toBe(1);
    expect(messagesOf(outputs)).toEqual([]); // Nor is the new term durable.
  });

  it('even when the term is durable already, it acknowledges only what is before the change', () => {
    const before = following(2);
    const heard = run(before, from(n3, appendEntries({ term: 3, prev: [1, 2] }))).state;
    const { state } = step(heard, replacement);

    const { outputs } = step(state, { type: 'persistRes', seq: heard.persistSeq });

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { success: true, matchIndex: 1 } }]);
  });

  it('the log makes progress when it then goes quiet: the last flush acknowledges by itself', () => {
    const { state } = step(following(2), replacement);

    const { outputs } = flush(state);

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { success: true, matchIndex: 2 } }]);
  });

  it('a flush of several requests at once acknowledges the last of them', () => {
    const { outputs } = flush(following(2, 3, 4));

    expect(messagesOf(outputs)).toMatchObject([{ message: { matchIndex: 4 } }]);
  });

  it('requests that are flushed one by one are acknowledged one by one', () => {
    const state = following(2, 3, 4);

    const { outputs } = run(
      state,
      { type: 'persistRes', seq: state.persistSeq - 2 },
      { type: 'persistRes', seq: state.persistSeq - 1 },
      { type: 'persistRes', seq: state.persistSeq },
    );

    expect(messagesOf(outputs).map(({ message }) => message)).toMatchObject([
      { matchIndex: 2 },
      { matchIndex: 3 },
      { matchIndex: 4 },
    ]);
  });

  it('a completion that comes late, after a newer one, changes nothing', () => {
    const state = flush(following(2, 3)).state;

    expect(step(state, { type: 'persistRes', seq: state.persistSeq - 1 })).toEqual({ state, outputs: [] });
  });

  it('with very many requests under way none is acknowledged too early', () => {
    const many = Array.from({ length: 100 }, (_, at) => at + 2);
    const state = following(...many);

    const partly = step(state, { type: 'persistRes', seq: state.persistSeq - 1 }).state;

    expect(state.unflushed.length).toBeLessThanOrEqual(64);
    expect(durableIndex(partly)).toBeLessThan(101);
    expect(durableIndex(flush(partly).state)).toBe(101);
  });

  it('a completion of what was never asked for is a fault of this node’s own', () => {
    const state = following(2);

    const after = step(state, { type: 'persistRes', seq: state.persistSeq + 1 });

    expect(after.state).toBe(state);
    expect(after.outputs).toMatchObject([{ type: 'fault', scope: 'self', kind: 'unknownCompletion' }]);
  });
});
