import { describe, expect, it } from 'vitest';
import {
  defaultConfig,
  durableIndex,
  type Index,
  index,
  index0,
  initialState,
  type State,
  step,
  term,
} from '../../../../src/core/index.ts';
import {
  appendEntries,
  flush,
  from,
  logOf,
  messagesOf,
  n1,
  n2,
  n3,
  only,
  threeNodes,
  voteRequest,
  wait,
} from '../builders.ts';

/** A node that ran before: term 4, a vote for n2, five entries. */
function restarted(appliedIndex: Index): State {
  return initialState({
    self: n1,
    group: 0,
    config: defaultConfig,
    seed: 1,
    hardState: { currentTerm: term(4), votedFor: n2 },
    log: logOf(1, 1, 2, 4, 4),
    configurations: [{ index: index0, configuration: threeNodes }],
    appliedIndex,
  });
}

describe('a node that starts again', () => {
  it('has committed what its state machine has applied, and applies nothing twice', () => {
    const { state, outputs } = step(
      restarted(index(3)),
      from(n2, appendEntries({ term: 4, prev: [5, 4], commit: 5 })),
    );

    expect(restarted(index(3))).toMatchObject({ commitIndex: 3, lastApplied: 3 });
    expect(only(outputs, 'applyReq')).toMatchObject([{ through: 5 }]);
    expect(state.commitIndex).toBe(5);
  });

  it('knows of no commit with a state machine in memory, and hears of it from the leader', () => {
    expect(restarted(index(0))).toMatchObject({ commitIndex: 0, lastApplied: 0 });
  });

  it('counts all that it loaded as durable', () => {
    const state = restarted(index(0));

    const { outputs } = step(state, from(n2, appendEntries({ term: 4, prev: [5, 4] })));

    expect(durableIndex(state)).toBe(5);
    expect(messagesOf(outputs)).toMatchObject([{ message: { success: true, matchIndex: 5 } }]);
  });

  it('is a follower without a leader, and does not stick to the one it had', () => {
    const { outputs } = step(restarted(index(0)), from(n3, voteRequest(5, [5, 4])));

    expect(restarted(index(0)).role).toMatchObject({ type: 'follower', leader: null });
    expect(only(outputs, 'persistReq')).toMatchObject([{ hardState: { currentTerm: 5, votedFor: n3 } }]);
  });

  it('stands for election in a term after the one it loaded', () => {
    const asked = wait(restarted(index(0)), 1050);

    expect(messagesOf(asked.outputs)).toMatchObject([
      { message: { type: 'preVote', term: 5, lastLogIndex: 5, lastLogTerm: 4 } },
      { message: { type: 'preVote', term: 5 } },
    ]);
    expect(flush(asked.state).state.currentTerm).toBe(4);
  });
});
