import { describe, expect, it } from 'vitest';
import type { State } from '../../../src/core/index.ts';
import { appendEntries, batchOf, flush, from, n2, n3, node, only, preVote, run, vote } from './builders.ts';
import { installSnapshot, snapshotOf } from './builders-membership.ts';

const hourMs = 3_600_000;

describe("the log's own clock", () => {
  it('goes on from a snapshot as of the moment when it was installed', () => {
    let state: State = run(node(), { type: 'tick', now: 1000 }).state;
    state = run(state, from(n2, appendEntries({ term: 1, batches: [batchOf(1, 1)], commit: 1 }))).state;
    state = run(flush(state).state, { type: 'tick', now: 1000 + hourMs }).state; // Cut off for an hour.
    state = run(state, from(n2, installSnapshot(1, { ...snapshotOf(100, 1), logTimeMs: hourMs }))).state;
    state = run(flush(state).state, {
      type: 'installSnapshotRes',
      seq: state.snapshotSeq,
      isInstalled: true,
    }).state;

    state = run(state, { type: 'tick', now: 2000 + hourMs }, { type: 'campaign', id: 1 }).state;
    state = run(state, from(n2, preVote(2)), from(n3, preVote(2))).state;
    const { outputs } = run(flush(state).state, from(n3, vote(2)));

    const [request] = only(outputs, 'persistReq');
    expect(request?.batches).toMatchObject([{ kind: 'noop', logTimeMs: hourMs + 1000 }]);
  });
});
