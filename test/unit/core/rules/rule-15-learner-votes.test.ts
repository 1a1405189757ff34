import { describe, expect, it } from 'vitest';
import { type Configuration, configurationOf } from '../../../../src/core/index.ts';
import {
  appendEntries,
  flush,
  from,
  messagesOf,
  n1,
  n2,
  n3,
  node,
  preVoteRequest,
  run,
  voteRequest,
  votersOf,
  wait,
} from '../builders.ts';

const learning: Configuration = { ...votersOf(n2, n3), learners: [{ ...n1, url: '' }] };

describe('rule 15: a member that does not know of its promotion still votes when asked', () => {
  it('a learner grants a pre-vote and a vote', () => {
    const asked = run(
      node({ configuration: learning }),
      from(n2, preVoteRequest(1)),
      from(n2, voteRequest(1)),
    );
    const { outputs } = flush(asked.state);

    expect(messagesOf(asked.outputs)).toMatchObject([
      { message: { type: 'preVoteReply', voteGranted: true } },
    ]);
    expect(messagesOf(outputs)).toMatchObject([{ message: { type: 'requestVoteReply', voteGranted: true } }]);
  });

  it('a learner does not stand for election itself', () => {
    const { state, outputs } = wait(node({ configuration: learning }), 5000);

    expect(state.role.type).toBe('follower');
    expect(messagesOf(outputs)).toEqual([]);
    expect(configurationOf(state)).toBe(learning);
  });

  it('nor does it stick for ever to a leader that is silent', () => {
    const followed = flush(
      run(node({ configuration: learning }), from(n2, appendEntries({ term: 1 }))).state,
    ).state;

    const silent = wait(followed, 1025).state;
    const { outputs } = run(silent, from(n3, preVoteRequest(2)));

    expect(messagesOf(outputs)).toMatchObject([{ message: { voteGranted: true } }]);
  });
});
