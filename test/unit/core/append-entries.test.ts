import { describe, expect, it } from 'vitest';
import { step } from '../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  batchOf,
  establishedLeader,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  n3,
  node,
  run,
  wait,
  write,
} from './builders.ts';

describe('a follower that receives entries together with their commit', () => {
  it('asks the disk for them before it asks the state machine to apply them', () => {
    const message = appendEntries({ term: 1, batches: [batchOf(1, 1)], commit: 1 });

    const { outputs } = step(node(), from(n2, message));

    expect(outputs.map((output) => output.type)).toEqual(['persistReq', 'applyReq']);
  });
});

describe('a follower whose leader contradicts itself within a term', () => {
  it('reports two leaders, and keeps what it has verified', () => {
    const entries = [batchOf(1, 2), batchOf(2, 2), batchOf(3, 2)];
    const following = run(node(), from(n2, appendEntries({ term: 2, batches: entries }))).state;

    const { state, outputs } = step(
      following,
      from(n2, appendEntries({ term: 2, batches: [batchOf(1, 1)] })),
    );

    expect(state).toBe(following);
    expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'twoLeaders' }]);
  });
});

describe('news of a commit index', () => {
  const news = { term: 1, prev: [2, 1], commit: 2, isReplyDue: false } as const;
  const follower = flush(
    run(node(), from(n2, appendEntries({ term: 1, batches: [batchOf(1, 1), batchOf(2, 1)] }))).state,
  ).state;

  it('asks for no answer, as entries and heartbeats do', () => {
    const written = flush(run(establishedLeader(), from(n3, ack(1, 1)), write(1, 'x')).state).state;

    const { state, outputs } = run(written, from(n2, ack(1, 2)));

    const told = { prevLogIndex: 2, leaderCommit: 2, batches: [], isReplyDue: false };
    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: told }]);
    const others = [
      ...messagesOf(run(written, write(2, 'y')).outputs),
      ...messagesOf(wait(state, 100).outputs),
    ];
    expect(others.length).toBeGreaterThan(2);
    for (const { message } of others) expect(message).toMatchObject({ isReplyDue: true });
  });

  it('is applied, and not answered by a follower that holds what it was sent', () => {
    const { outputs } = run(follower, from(n2, appendEntries(news)));

    expect(outputs).toMatchObject([{ type: 'applyReq', through: 2 }]);
  });

  it('is said again by the next heartbeat if it is lost, and that is answered', () => {
    const heartbeat = appendEntries({ ...news, isReplyDue: true });

    const { outputs } = run(follower, from(n2, heartbeat));

    expect(outputs).toMatchObject([
      { type: 'applyReq', through: 2 },
      { type: 'message', message: { success: true, matchIndex: 2 } },
    ]);
  });

  it.each([
    [
      'a follower that lacks some of it refuses',
      { ...news, prev: [3, 1] },
      { success: false, rejectedIndex: 3 },
    ],
    ['a node in a newer term says so', { ...news, term: 0, prev: [0, 0] }, { success: false, term: 1 }],
    [
      'a follower that has not heard of its round answers',
      { ...news, round: 1 },
      { success: true, round: 1 },
    ],
  ] as const)('is answered all the same where %s', (_, like, reply) => {
    const { outputs } = run(follower, from(n2, appendEntries(like)));

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: reply }]);
  });

  it('leaves the answer to what came before it due', () => {
    const writing = run(node(), from(n2, appendEntries({ term: 1 }))).state; // The term is not on the disk yet.

    const { outputs } = flush(run(writing, from(n2, appendEntries({ term: 1, isReplyDue: false }))).state);

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: { success: true, matchIndex: 0 } }]);
  });
});

describe('a follower that comes back', () => {
  it('is asked for the end of the log, not the beginning, if it has not answered this leader yet', () => {
    const { outputs } = run(leader({ terms: [1, 1, 1] }), { type: 'peerUp', id: 'n3' });

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { prevLogIndex: 4, batches: [] } }]);
  });

  it('is asked for what follows its last answer otherwise', () => {
    const leading = run(establishedLeader({ terms: [1, 1, 1] }), from(n3, ack(2, 2))).state;

    const { outputs } = run(leading, { type: 'peerUp', id: 'n3' });

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { prevLogIndex: 2 } }]);
  });
});

describe('a follower whose disk is slow', () => {
  it('holds back one refusal for its leader, the latest, however often it is asked', () => {
    const asked = [7, 6, 5].map((prev) => from(n2, appendEntries({ term: 2, prev: [prev, 2] })));
    const waiting = run(node({ terms: [1] }), ...asked).state;

    const { outputs } = flush(waiting);

    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: { success: false, rejectedIndex: 5 } }]);
  });
});
