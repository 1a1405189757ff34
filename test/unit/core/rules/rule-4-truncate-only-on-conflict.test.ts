import { describe, expect, it } from 'vitest';
import {
  defaultConfig,
  index,
  index0,
  initialState,
  type State,
  step,
  term,
  termAt,
} from '../../../../src/core/index.ts';
import {
  appendEntries,
  batchesOf,
  batchOf,
  flush,
  from,
  messagesOf,
  n1,
  n2,
  node,
  only,
  run,
  threeNodes,
} from '../builders.ts';

/** A follower of n2 in term 2 with entries of these terms, committed through `commit`. */
function following(terms: readonly number[], commit: number): State {
  const message = appendEntries({ term: 2, batches: batchesOf(...terms), commit });
  return flush(run(node(), from(n2, message)).state).state;
}

/** A node whose log begins after a snapshot of five entries. */
function compacted(): State {
  return initialState({
    self: n1,
    group: 0,
    config: defaultConfig,
    seed: 1,
    hardState: { currentTerm: term(2), votedFor: null },
    log: { startIndex: index(5), startTerm: term(2), lastIndex: index(5), terms: [], lastLogTimeMs: 0 },
    configurations: [{ index: index0, configuration: threeNodes }],
    appliedIndex: index(5),
  });
}

describe('rule 4: entries go only where they really conflict, and never when they are committed', () => {
  it('a message that is late, and holds less than the log, removes nothing', () => {
    const state = following([1, 2, 2], 0);

    const late = step(state, from(n2, appendEntries({ term: 2, batches: batchesOf(1) })));

    expect(late.state.log).toBe(state.log);
    expect(only(late.outputs, 'persistReq')).toEqual([]);
  });

  it('a conflict removes the entry and all that follow it', () => {
    const state = node({ terms: [1, 1, 1, 1], currentTerm: 1 });

    const { state: after, outputs } = step(
      state,
      from(n2, appendEntries({ term: 2, prev: [1, 1], batches: [batchOf(2, 2)] })),
    );

    expect(after.log).toMatchObject({
      lastIndex: 2,
      terms: [
        { index: 1, term: 1 },
        { index: 2, term: 2 },
      ],
    });
    expect(only(outputs, 'persistReq')).toMatchObject([
      { truncateFrom: 2, batches: [{ index: 2, term: 2 }] },
    ]);
  });

  it('batches that are held already are passed over before the conflict', () => {
    const state = node({ terms: [1, 1, 1], currentTerm: 1 });
    const batches = [...batchesOf(1, 1), batchOf(3, 2)];

    const { outputs } = step(state, from(n2, appendEntries({ term: 2, batches })));

    expect(only(outputs, 'persistReq')).toMatchObject([{ truncateFrom: 3, batches: [{ index: 3 }] }]);
  });

  it('a message that would replace a committed entry is a fault of the peer, and changes nothing', () => {
    const state = following([1, 2, 2], 2);

    const after = step(state, from(n2, appendEntries({ term: 3, prev: [1, 1], batches: [batchOf(2, 3)] })));

    expect(after.state).toBe(state);
    expect(after.outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'committedEntryReplaced' }]);
  });

  it('so is a previous entry that contradicts a committed one', () => {
    const state = following([1, 2, 2], 2);

    const after = step(state, from(n2, appendEntries({ term: 4, prev: [2, 3] })));

    expect(after.state).toBe(state);
    expect(after.outputs).toMatchObject([
      { kind: 'committedEntryReplaced', detail: { index: 2, commitIndex: 2 } },
    ]);
  });

  it('a previous index below the compaction point is a match: what is compacted is passed over', () => {
    const batches = [batchOf(4, 1, 'a', 'b'), batchOf(6, 2, 'c')];

    const { state, outputs } = step(compacted(), from(n2, appendEntries({ term: 2, prev: [3, 1], batches })));

    expect(termAt(state.log, index(6))).toBe(2);
    expect(only(outputs, 'persistReq')).toMatchObject([{ batches: [{ index: 6 }] }]);
    expect(messagesOf(flush(state).outputs)).toMatchObject([{ message: { success: true, matchIndex: 6 } }]);
  });
});
