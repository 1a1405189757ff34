import { index, RaftError, term } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { peerClock } from '../../../examples/kv/http/peer-clock.ts';
import { fakeServer, nodeStatus } from './builders.ts';

describe('the status', () => {
  it('has the names of the contract, and the peers on the leader', async () => {
    const { send } = await fakeServer({ status: { lastApplied: index(137) } });

    const status = await (await send('GET', '/status')).json();

    expect(status).toEqual({
      id: 'n1',
      clusterId: 'c',
      role: 'leader',
      term: 7,
      leaderId: 'n1',
      commitIndex: 137,
      lastApplied: 137,
      lastIndex: 138,
      firstIndex: 1,
      snapshotIndex: 0,
      members: [
        { id: 'n1', url: 'ws://127.0.0.1:7101', role: 'voter' },
        { id: 'n2', url: 'ws://127.0.0.1:7102', role: 'voter' },
        { id: 'n3', url: 'ws://127.0.0.1:7103', role: 'voter' },
      ],
      configuration: { index: 0, voters: ['n1', 'n2', 'n3'], votersOutgoing: [], learners: [] },
      peers: [
        { id: 'n2', state: 'replicate', matchIndex: 138, lag: 0, rttMs: 0.8 },
        {
          id: 'n3',
          state: 'unreachable',
          matchIndex: 128,
          lag: 10,
          rttMs: null,
          unreachableMs: expect.any(Number),
        },
      ],
      refusals: [],
      explain: [{ topic: 'lag', text: 'n3 is not connected; it lacks 10 entries.' }],
      version: '1.2.3',
    });
  });

  it('has no peers on a follower', async () => {
    const { send } = await fakeServer({ status: { role: 'follower', leaderId: 'n2', peers: [] } });

    expect(await (await send('GET', '/status')).json()).not.toHaveProperty('peers');
  });

  it('knows since when a peer is unreachable, and forgets it when the peer is back', () => {
    let now = 1_000;
    const clock = peerClock(() => now);
    const peer = (state: 'unreachable' | 'replicate') => ({
      id: 'n3',
      state,
      matchIndex: index(1),
      lag: 0,
      rttMs: null,
    });

    clock.observe([peer('unreachable')]);
    now += 12_000;
    clock.observe([peer('unreachable')]);
    const after = clock.unreachableMs('n3');
    clock.observe([peer('replicate')]);

    expect(after).toBe(12_000);
    expect(clock.unreachableMs('n3')).toBe(null);
    expect(nodeStatus().term).toBe(term(7));
  });
});

describe('a node that is asked whether it is alive', () => {
  it('reads its own storage, and nothing that needs the others', async () => {
    const { send, asked } = await fakeServer({ status: { leaderId: null, role: 'candidate' } });

    const response = await send('GET', '/livez');

    expect(response.status).toBe(200);
    expect(asked).toMatchObject([{ query: { type: 'exists' }, options: { consistency: 'stale' } }]);
  });

  it('is, while it waits for the cluster to be founded or opens its store', async () => {
    const unfounded = await fakeServer({ status: { clusterId: null, leaderId: null } });
    unfounded.failWith(new RaftError('RAFT_NO_LEADER', 'nobody'));
    const starting = await fakeServer({ services: { node: () => null } });

    expect((await unfounded.send('GET', '/livez')).status).toBe(200);
    expect((await starting.send('GET', '/livez')).status).toBe(200);
  });

  it('is not when its storage does not answer', async () => {
    const { send, failWith } = await fakeServer();
    failWith(new RaftError('RAFT_STOPPED', 'the disk failed'));

    const response = await send('GET', '/livez');

    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: 'KV_NOT_ALIVE' } });
  });
});

describe('a node that is asked whether it is ready', () => {
  it('is when a linearizable read gets through it', async () => {
    const { send, asked } = await fakeServer();

    const response = await send('GET', '/readyz');

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ready: true, leaderId: 'n1' });
    expect(asked).toMatchObject([{ options: { timeoutMs: 1_000 } }]);
    expect(asked[0]?.options).not.toHaveProperty('consistency');
  });

  it('is not without a leader, while it can not catch up, before it has begun, or once it closes', async () => {
    const leaderless = await fakeServer({ status: { leaderId: null } });
    const behind = await fakeServer();
    behind.failWith(new RaftError('RAFT_TIMEOUT', 'too far behind'));
    const starting = await fakeServer({ services: { node: () => null } });
    const closing = await fakeServer();
    closing.closing.abort();

    for (const { send } of [leaderless, behind, starting, closing]) {
      const response = await send('GET', '/readyz');

      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
    }
  });
});

describe('a server whose node is still being opened', () => {
  it('answers every request for data with 503', async () => {
    const { send } = await fakeServer({ services: { node: () => null } });

    for (const [method, path] of [
      ['GET', '/kv/a'],
      ['DELETE', '/kv/a'],
      ['GET', '/range'],
      ['GET', '/watch'],
      ['GET', '/status'],
    ] as const) {
      const response = await send(method, path);

      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        error: { code: 'KV_STARTING', outcome: 'notCommitted' },
      });
    }
  });
});

describe('a server that closes', () => {
  it('takes no more requests, and tells clients to let go of the connection', async () => {
    const { send, closing, asked } = await fakeServer();
    closing.abort();

    const response = await send('PUT', '/kv/a', 'x');

    expect(response.status).toBe(503);
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.json()).toMatchObject({ error: { code: 'RAFT_CLOSED', outcome: 'notCommitted' } });
    expect(asked).toEqual([]);
    expect((await send('GET', '/livez')).status).toBe(200);
  });
});
