import { describe, expect, it } from 'vitest';
import { index, type State, step, termAt } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  ack,
  appendEntries,
  batchesOf,
  batchOf,
  establishedLeader,
  flush,
  from,
  messagesOf,
  n2,
  n4,
  node,
  only,
  run,
  votersOf,
  write,
} from '../unit/core/builders.ts';
import { installSnapshot, snapshotOf } from '../unit/core/builders-membership.ts';

/** A follower of n2 with six entries on disk; the first `commit` are committed, and the first `applied` applied. */
function follower({ commit, applied = 0 }: { commit: number; applied?: number }): State {
  const append = appendEntries({ term: 2, batches: batchesOf(1, 1, 2, 2, 2, 2), commit });
  const { state } = flush(run(node(), from(n2, append)).state);
  if (applied === 0) return state;
  const appliedIndex = index(applied);
  return run(state, { type: 'applyRes', seq: state.applySeq, appliedIndex, durableIndex: index(0) }).state;
}

/** The snapshot is asked for, durable through `through`, and the log is cut. */
function compact(state: State, through: number): ReturnType<typeof run> {
  const asked = run(state, { type: 'compact', id: 1, keepsPrevious: false }).state;
  return run(asked, { type: 'takeSnapshotRes', seq: asked.snapshotSeq, index: index(through) });
}

/** The follower's disk has switched to the snapshot that it was told to install. */
const installed = (state: State) =>
  run(state, { type: 'installSnapshotRes', seq: state.snapshotSeq, isInstalled: true }).state;

describe('§7 Log compaction', () => {
  it('In snapshotting, the entire current system state is written to a snapshot on stable storage, then the entire log up to that point is discarded.', () => {
    const asked = run(follower({ commit: 4, applied: 4 }), { type: 'compact', id: 1, keepsPrevious: false });
    const taken = run(asked.state, { type: 'takeSnapshotRes', seq: 1, index: index(4) });

    expect(asked.outputs).toMatchObject([{ type: 'takeSnapshotReq', seq: 1 }]);
    expect(asked.state.log.startIndex).toBe(0); // Not before the snapshot is on stable storage.
    expect(taken.outputs).toMatchObject([{ type: 'compactLogReq', through: 4 }]);
    expect(taken.state.log).toMatchObject({ startIndex: 4, lastIndex: 6 });
  });

  it('Each server takes snapshots independently, covering just the committed entries in its log.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.write('n1', ['x']);
    cluster.settle();
    cluster.cut('n2', 'n1');
    cluster.cut('n3', 'n1');
    cluster.write('n1', ['not committed']);
    cluster.settle();

    const answers = ['n1', 'n3'].map((id) => cluster.compact(id));
    cluster.settle();

    expect(answers.map((id) => cluster.answer(id))).toEqual([{ type: 'ok' }, { type: 'ok' }]);
    expect(['n1', 'n2', 'n3'].map((id) => cluster.state(id).log.startIndex)).toEqual([2, 0, 2]);
    expect(cluster.state('n1').log.lastIndex).toBe(3);
  });

  it('A snapshot that would cover more than what is committed and applied can’t be.', () => {
    const state = follower({ commit: 4, applied: 2 });

    const { outputs } = compact(state, 3);

    expect(only(outputs, 'fault')).toMatchObject([{ scope: 'self', kind: 'appliedBeyondRequest' }]);
  });

  it('Raft also includes a small amount of metadata in the snapshot: the last included index and the last included term. These are preserved to support the AppendEntries consistency check for the first log entry following the snapshot.', () => {
    const { state, outputs } = compact(follower({ commit: 6, applied: 6 }), 6);
    const next = (term: number) =>
      from(n2, appendEntries({ term: 3, prev: [6, term], batches: [batchOf(7, 3)] }));

    const follows = run(state, next(2)).state;

    expect(only(outputs, 'compactLogReq')).toMatchObject([{ through: 6, throughTerm: 2 }]);
    expect(termAt(state.log, index(6))).toBe(2);
    expect(follows.log.lastIndex).toBe(7);
  });

  it('To enable cluster membership changes, the snapshot also includes the latest configuration in the log as of last included index.', () => {
    const asked = run(
      follower({ commit: 2 }),
      from(n2, installSnapshot(2, snapshotOf(9, 2, votersOf(n2, n4)))),
    ).state;

    const { configurations } = installed(asked);

    expect(configurations.at(-1)?.configuration).toEqual(votersOf(n2, n4));
  });

  it('Although servers normally take snapshots independently, the leader must occasionally send snapshots to followers that lag behind. This happens when the leader has already discarded the next log entry that it needs to send to a follower.', () => {
    const led = establishedLeader(); // n3 has not answered yet.
    const written = run(flush(run(led, write(1, 'x')).state).state, from(n2, ack(1, 2))).state;
    const applied = run(written, {
      type: 'applyRes',
      seq: written.applySeq,
      appliedIndex: index(2),
      durableIndex: index(0),
    }).state;
    const compacted = compact(applied, 2).state;

    const behind = run(compacted, { type: 'peerDown', id: 'n3' }, { type: 'peerUp', id: 'n3' });

    expect(only(behind.outputs, 'sendSnapshotReq')).toMatchObject([{ to: { id: 'n3' }, from: 2 }]);
    expect(only(behind.outputs, 'readLogReq')).toEqual([]);
  });

  it('Usually the snapshot will contain new information not already in the recipient’s log. In this case, the follower discards its entire log; it is all superseded by the snapshot and may possibly have uncommitted entries that conflict with the snapshot.', () => {
    const newer = run(follower({ commit: 2 }), from(n2, installSnapshot(2, snapshotOf(9, 2)))).state;
    const conflicting = run(follower({ commit: 2 }), from(n4, installSnapshot(3, snapshotOf(4, 3)))).state;

    expect(installed(newer)).toMatchObject({ commitIndex: 9, log: { startIndex: 9, lastIndex: 9 } });
    expect(installed(conflicting)).toMatchObject({ commitIndex: 4, log: { startIndex: 4, lastIndex: 4 } });
  });

  it('If instead the follower receives a snapshot that describes a prefix of its log (due to retransmission or by mistake), then log entries covered by the snapshot are deleted but entries following the snapshot are still valid and must be retained.', () => {
    const asked = run(follower({ commit: 2 }), from(n2, installSnapshot(2, snapshotOf(4, 2))));

    const after = installed(asked.state);

    expect(only(asked.outputs, 'installSnapshotReq')).toMatchObject([{ keepsSuffix: true }]);
    expect(after.log).toMatchObject({ startIndex: 4, lastIndex: 6 });
    expect(after.commitIndex).toBe(4);
  });

  it('Figure 13: Reply immediately if term < currentTerm.', () => {
    const state = follower({ commit: 2 });

    const after = step(state, from(n4, installSnapshot(1, snapshotOf(9, 1))));

    expect(after.state).toEqual(state);
    expect(messagesOf(after.outputs)).toMatchObject([{ to: 'n4', message: { success: false, term: 2 } }]);
  });
});
