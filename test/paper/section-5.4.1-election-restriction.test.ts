import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  diskOf,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  node,
  only,
  preVoteRequest,
  run,
  voteRequest,
} from '../unit/core/builders.ts';

/** Whether a node with a log of these terms votes for a candidate whose last entry is this one. */
function votesFor(terms: readonly number[], last: readonly [index: number, term: number]): boolean {
  const { outputs } = step(node({ terms, currentTerm: 5 }), from(n2, voteRequest(6, last)));
  return only(outputs, 'persistReq').some((request) => request.hardState?.votedFor?.id === 'n2');
}

describe('§5.4.1 Election restriction', () => {
  it('The voter denies its vote if its own log is more up-to-date than that of the candidate.', () => {
    expect(votesFor([1, 2], [1, 1])).toBe(false);
    expect(votesFor([1, 2], [2, 2])).toBe(true);
  });

  it('If the logs have last entries with different terms, then the log with the later term is more up-to-date.', () => {
    expect(votesFor([1, 1, 1, 1], [1, 2])).toBe(true);
    expect(votesFor([2], [9, 1])).toBe(false);
  });

  it('If the logs end with the same term, then whichever log is longer is more up-to-date.', () => {
    expect(votesFor([2, 2, 2], [2, 2])).toBe(false);
    expect(votesFor([2, 2, 2], [3, 2])).toBe(true);
    expect(votesFor([2, 2, 2], [4, 2])).toBe(true);
  });

  it('The RPC includes information about the candidate’s log.', () => {
    const asking = run(node({ terms: [1, 3, 3] }), { type: 'campaign', id: 0 });

    expect(messagesOf(asking.outputs)).toMatchObject([
      { message: { lastLogIndex: 3, lastLogTerm: 3 } },
      { message: { lastLogIndex: 3, lastLogTerm: 3 } },
    ]);
  });

  it('The same holds for pre-votes: a node that could not win is not told that it could (thesis §9.6).', () => {
    const state = node({ terms: [1, 2] });

    const { outputs } = run(state, from(n2, preVoteRequest(9, [5, 1])), from(n2, preVoteRequest(9, [2, 2])));

    expect(messagesOf(outputs)).toMatchObject([
      { message: { voteGranted: false } },
      { message: { voteGranted: true } },
    ]);
  });

  it('A candidate must contact a majority of the cluster in order to be elected, which means that every committed entry must be present in at least one of those servers.', () => {
    const cluster = new BareCluster({
      nodes: ['n1', 'n2', 'n3'],
      disks: { n1: diskOf({ terms: [1, 1] }), n2: diskOf({ terms: [1, 1] }), n3: diskOf({ terms: [1] }) },
    });

    expect(() => cluster.elect('n3')).toThrow('n3 was not elected');
    cluster.elect('n1');
    expect(cluster.commitIndexes()).toEqual({ n1: 3, n2: 3, n3: 3 });
  });

  it('Log entries only flow in one direction, from leaders to followers, and leaders never overwrite existing entries in their logs.', () => {
    const { state } = flush(leader({ terms: [1, 1] }));

    expect(state.log).toMatchObject({
      lastIndex: 3,
      terms: [
        { index: 1, term: 1 },
        { index: 3, term: 2 },
      ],
    });
  });
});
