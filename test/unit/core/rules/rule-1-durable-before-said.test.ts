import { describe, expect, it } from 'vitest';
import { step } from '../../../../src/core/index.ts';
import {
  appendEntries,
  batchOf,
  candidate,
  flush,
  from,
  messagesOf,
  n2,
  n3,
  node,
  only,
  run,
  voteRequest,
} from '../builders.ts';

describe('rule 1: term and vote are durable before anything that speaks for them leaves', () => {
  it('a candidate asks for votes only once its own term and vote are on disk', () => {
    const standing = candidate();

    expect(standing.held.map(({ message }) => message.type)).toEqual(['requestVote', 'requestVote']);
    expect(messagesOf(flush(standing).outputs)).toMatchObject([
      { to: 'n2', message: { type: 'requestVote', term: 1 } },
      { to: 'n3', message: { type: 'requestVote', term: 1 } },
    ]);
  });

  it('a vote leaves once it is on disk, in one write with its term', () => {
    const { state, outputs } = step(node(), from(n2, voteRequest(3)));

    expect(outputs).toMatchObject([{ type: 'persistReq', hardState: { currentTerm: 3, votedFor: n2 } }]);
    expect(messagesOf(flush(state).outputs)).toMatchObject([
      { to: 'n2', message: { type: 'requestVoteReply', term: 3, voteGranted: true } },
    ]);
  });

  it('a vote in a term that is on disk already waits for a write of its own', () => {
    const { state, outputs } = step(node({ currentTerm: 3 }), from(n2, voteRequest(3)));

    expect(outputs).toMatchObject([{ type: 'persistReq', hardState: { currentTerm: 3, votedFor: n2 } }]);
    expect(messagesOf(flush(state).outputs)).toMatchObject([{ to: 'n2', message: { voteGranted: true } }]);
  });

  it('a vote that is asked for again waits just the same', () => {
    const { outputs } = run(node(), from(n2, voteRequest(3)), from(n2, voteRequest(3)));

    expect(messagesOf(outputs)).toEqual([]);
  });

  it('a vote that waits never leaves once the term has passed', () => {
    const { state } = run(node(), from(n2, voteRequest(3)), from(n3, voteRequest(4, [0, 0])));

    const granted = messagesOf(flush(state).outputs);

    expect(granted).toMatchObject([{ to: 'n3', message: { term: 4, voteGranted: true } }]);
  });

  it('a heartbeat of a new term is acknowledged once that term is on disk', () => {
    const { state, outputs } = step(node(), from(n2, appendEntries({ term: 5 })));

    expect(messagesOf(outputs)).toEqual([]);
    expect(messagesOf(flush(state).outputs)).toMatchObject([
      { to: 'n2', message: { term: 5, success: true } },
    ]);
  });

  it('entries are acknowledged once they are on disk, and so is a repetition of them', () => {
    const following = flush(run(node(), from(n2, appendEntries({ term: 1 }))).state).state;
    const append = from(n2, appendEntries({ term: 1, batches: [batchOf(1, 1)] }));

    const { state, outputs } = run(following, append, append);

    expect(messagesOf(outputs)).toMatchObject([{ message: { success: true, matchIndex: 0 } }]); // To the repetition.
    expect(messagesOf(flush(state).outputs)).toMatchObject([{ message: { success: true, matchIndex: 1 } }]);
  });

  it('a term is written in one request with the entries of it', () => {
    const { outputs } = step(node(), from(n2, appendEntries({ term: 2, batches: [batchOf(1, 2)] })));

    expect(only(outputs, 'persistReq')).toMatchObject([
      { hardState: { currentTerm: 2, votedFor: null }, batches: [{ index: 1, term: 2 }] },
    ]);
  });

  it('a node that restarts keeps to the vote that it had cast', () => {
    const restarted = node({ currentTerm: 3, votedFor: n2 });

    const other = step(restarted, from(n3, voteRequest(3)));
    const same = step(restarted, from(n2, voteRequest(3)));

    expect(messagesOf(other.outputs)).toMatchObject([{ to: 'n3', message: { voteGranted: false } }]);
    expect(messagesOf(same.outputs)).toMatchObject([{ to: 'n2', message: { voteGranted: true } }]);
  });
});
