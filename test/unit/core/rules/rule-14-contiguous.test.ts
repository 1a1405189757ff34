import { describe, expect, it } from 'vitest';
import { type EntryBatch, index, type State, step } from '../../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  batchesOf,
  batchOf,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  node,
  only,
  run,
} from '../builders.ts';

/** A leader of term 3 that has found out where n2 stands, and asked its log for what n2 lacks. */
function reading(): State {
  const elected = flush(leader({ terms: [1, 1, 2, 2] })).state;
  const refused = { ...ack(3, 0), success: false, rejectedIndex: index(4), hintIndex: index(1), hintTerm: 1 };
  return run(elected, from(n2, refused as ReturnType<typeof ack>), from(n2, ack(3, 1))).state;
}

describe('rule 14: every append is checked for contiguity, on both sides', () => {
  it.each<[string, readonly EntryBatch[]]>([
    ['leave a gap', [batchOf(1, 1), batchOf(3, 1)]],
    ['begin too late', [batchOf(2, 1)]],
    ['overlap', [batchOf(1, 1, 'a', 'b'), batchOf(2, 1)]],
    ['fall in term', [batchOf(1, 2), batchOf(2, 1)]],
    ['are newer than their leader', [batchOf(1, 3)]],
    ['hold no entry', [{ ...batchOf(1, 1), count: 0 }]],
  ])('a follower refuses batches that %s', (_what, batches) => {
    const state = node();

    const after = step(state, from(n2, appendEntries({ term: 2, batches })));

    expect(after.state).toBe(state);
    expect(after.outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'malformedMessage' }]);
  });

  it('a leader sends what its log gave it', () => {
    const state = reading();
    const batches = [...batchesOf(1, 1, 2, 2).slice(1)];

    const { outputs } = step(state, { type: 'readLogRes', seq: state.readLogSeq, batches });

    expect(messagesOf(outputs)).toMatchObject([
      { to: 'n2', message: { prevLogIndex: 1, prevLogTerm: 1, batches } },
    ]);
  });

  it.each<[string, readonly EntryBatch[] | 'compacted']>([
    ['has a gap', [batchOf(2, 1), batchOf(4, 2)]],
    ['begins after what was asked for', [batchOf(3, 2)]],
    ['ends before it', [batchOf(1, 1)]],
    ['is of another term than the log says', [batchOf(2, 2)]],
    ['goes beyond the log', [batchOf(2, 1), batchOf(3, 2), batchOf(4, 2), batchOf(5, 3), batchOf(6, 3)]],
    ['is empty', []],
    ['is compacted', 'compacted'],
  ])('a leader does not send what %s', (_what, batches) => {
    const state = reading();

    const { outputs } = step(state, { type: 'readLogRes', seq: state.readLogSeq, batches });

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: { batches: [] } }]);
    expect(only(outputs, 'fault')).toEqual([]);
  });

  it('and asks again with the next acknowledgement', () => {
    const state = reading();
    const failed = step(state, { type: 'readLogRes', seq: state.readLogSeq, batches: [] }).state;

    const { outputs } = step(failed, from(n2, ack(3, 1)));

    expect(only(outputs, 'readLogReq')).toMatchObject([{ from: 2 }]);
  });
});
