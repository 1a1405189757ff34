import { describe, expect, it } from 'vitest';
import { type State, step } from '../../../../src/core/index.ts';
import {
  appendEntries,
  batchesOf,
  batchOf,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  n4,
  node,
  only,
  run,
  votersOf,
} from '../builders.ts';
import { configurationBatch, installSnapshot, snapshotOf } from '../builders-membership.ts';

/** A follower of n2 with six entries on disk, two of them committed. */
function follower(): State {
  const append = appendEntries({ term: 2, batches: batchesOf(1, 1, 2, 2, 2, 2), commit: 2 });
  return flush(run(node(), from(n2, append)).state).state;
}

/** The disk has switched. */
const installed = (state: State) =>
  run(state, { type: 'installSnapshotRes', seq: state.snapshotSeq, isInstalled: true });

describe('rule 12: a snapshot switches everything at once, and never goes back', () => {
  it('one at or below the commit index is refused, and the answer says what is held instead', () => {
    const { state, outputs } = step(follower(), from(n2, installSnapshot(2, snapshotOf(2, 1))));

    expect(only(outputs, 'installSnapshotReq')).toEqual([]);
    expect(state.installing).toBeNull();
    expect(messagesOf(outputs)).toMatchObject([{ message: { success: true, matchIndex: 6 } }]);
  });

  it('nothing changes before the disk has switched', () => {
    const { state } = step(follower(), from(n2, installSnapshot(2, snapshotOf(9, 2))));

    expect(state).toMatchObject({ commitIndex: 2, lastApplied: 0, log: { startIndex: 0, lastIndex: 6 } });
  });

  it('then log start, configuration, commit and applied index go together', () => {
    const asked = run(follower(), from(n2, installSnapshot(2, snapshotOf(9, 2, votersOf(n2, n4))))).state;

    const { state, outputs } = installed(asked);

    expect(state).toMatchObject({ commitIndex: 9, lastApplied: 9, snapshotIndex: 9, installing: null });
    expect(state.log).toMatchObject({ startIndex: 9, startTerm: 2, lastIndex: 9, terms: [] });
    expect(state.configurations).toEqual([snapshotOf(9, 2, votersOf(n2, n4)).configuration]);
    expect(messagesOf(outputs)).toMatchObject([{ message: { success: true, matchIndex: 9 } }]);
  });

  it('what follows the snapshot’s last entry stays, with its configurations, if the log holds that entry', () => {
    const pair = configurationBatch(7, 2, { ...votersOf(n2, n4), votersOutgoing: votersOf(n2).voters });
    const grown = flush(
      run(follower(), from(n2, appendEntries({ term: 2, prev: [6, 2], batches: [pair] }))).state,
    ).state;

    const asked = run(grown, from(n2, installSnapshot(2, snapshotOf(4, 2))));
    const { state } = installed(asked.state);

    expect(only(asked.outputs, 'installSnapshotReq')).toMatchObject([{ keepsSuffix: true }]);
    expect(state.log).toMatchObject({ startIndex: 4, lastIndex: 7 });
    expect(state.configurations.map((at) => at.index)).toEqual([0, 7]);
  });

  it('otherwise the whole log goes', () => {
    const asked = run(follower(), from(n2, installSnapshot(3, snapshotOf(4, 3))));
    const { state } = installed(asked.state);

    expect(only(asked.outputs, 'installSnapshotReq')).toMatchObject([{ keepsSuffix: false }]);
    expect(state.log).toMatchObject({ startIndex: 4, startTerm: 3, lastIndex: 4 });
  });

  it('one that contradicts a committed entry is refused: terms never fall along a log', () => {
    const committed = run(follower(), from(n2, appendEntries({ term: 2, prev: [6, 2], commit: 3 }))).state;

    const { state, outputs } = step(committed, from(n3, installSnapshot(3, snapshotOf(9, 1))));

    expect(state).toBe(committed);
    expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'committedEntryReplaced' }]);
  });

  it.each([
    ['an entry', snapshotOf(5, 1)],
    ['the entries before it', snapshotOf(9, 1)],
  ])('one that contradicts %s that this very leader has sent is refused', (_what, snapshot) => {
    const { state, outputs } = step(follower(), from(n2, installSnapshot(2, snapshot)));

    expect(state).toEqual(follower());
    expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'twoLeaders' }]);
  });

  it('unflushed entries before the snapshot hold up nothing after it', () => {
    const append = appendEntries({
      term: 2,
      prev: [6, 2],
      batches: batchesOf(1, 1, 2, 2, 2, 2, 2, 2).slice(6),
    });
    const unflushed = run(follower(), from(n2, append)).state;

    const { state } = installed(run(unflushed, from(n2, installSnapshot(2, snapshotOf(7, 2)))).state);

    expect(state.unflushed).toMatchObject([{ firstIndex: 8 }]);
  });

  it('if it can’t be installed nothing changes, and the leader hears of it', () => {
    const asked = run(follower(), from(n2, installSnapshot(2, snapshotOf(9, 2)))).state;

    const { state, outputs } = run(asked, {
      type: 'installSnapshotRes',
      seq: asked.snapshotSeq,
      isInstalled: false,
    });

    expect(state).toMatchObject({ commitIndex: 2, log: { lastIndex: 6 }, installing: null });
    expect(messagesOf(outputs)).toMatchObject([{ message: { success: false, rejectedIndex: 9 } }]);
  });

  it('while one is installed, appends wait and nobody stands for election', () => {
    const asked = run(follower(), from(n2, installSnapshot(2, snapshotOf(9, 2)))).state;

    const append = appendEntries({ term: 2, prev: [6, 2], batches: [batchOf(7, 2)] });
    const appended = run(asked, from(n2, append));
    const campaigned = run(appended.state, { type: 'campaign', id: 1 });

    expect(appended.state.log).toBe(asked.log);
    expect(campaigned.state.role.type).toBe('follower');
  });

  it('a compaction whose snapshot was taken after the switch stops nobody', () => {
    const compacting = run(follower(), { type: 'compact', id: 5, keepsPrevious: false }).state;
    const asked = run(compacting, from(n2, installSnapshot(2, snapshotOf(9, 2)))).state;

    const { outputs } = run(asked, {
      type: 'takeSnapshotRes',
      seq: compacting.snapshotSeq,
      index: snapshotOf(9, 2).index,
    });

    expect(outputs).toEqual([{ type: 'adminRes', id: 5, result: { type: 'ok' } }]);
  });
});
