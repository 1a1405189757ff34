import { describe, expect, it } from 'vitest';
import { Situation } from './builders.ts';
import type { FakeSocket, Received } from './fake-servers.ts';

const three = { urls: ['ws://a', 'ws://b', 'ws://c'], session: false };
const follower = { leaderId: 'nb' };

describe('a client that looks for the leader', () => {
  it('goes where a follower says that clients reach it, and what the follower has is still answered', async () => {
    const situation = new Situation(three);
    const [a] = situation.servers.sockets;
    a?.welcome('na', follower);
    const write = situation.write('w');
    await situation.pass();
    const requests = a?.requests() ?? [];
    expect(requests).toHaveLength(1);

    a?.say({ type: 'standing', isClosing: false, leaderId: 'nd', leaderUrl: 'ws://d' });
    situation.servers.last.drop(); // What it tried before it was told.
    await situation.pass(100);
    const d = situation.servers.last;
    expect(d.url).toBe('ws://d');
    d.welcome('nd');
    situation.write('x');
    await situation.pass();

    expect(d.requests().map(({ what }) => what)).toEqual(['x']);
    expect(a?.closedWith).toBe(null);
    a?.commit(requests, 4);
    await situation.pass();
    expect(write.words).toBe('4: done');
    expect(a?.closedWith?.code).toBe(1000);
  });

  it('asks the servers of its list one after the other until it is there', async () => {
    const situation = new Situation(three);
    const connections: unknown[] = [];
    situation.client.connection$.subscribe((connection) => connections.push(connection));
    situation.servers.last.welcome('na', { leaderId: 'nc' });
    await situation.pass(100);
    const second = situation.servers.last;
    second.welcome('nb', { leaderId: 'nc' });
    await situation.pass(100);
    situation.servers.last.welcome('nc', { leaderId: 'nc' });
    for (let second = 0; second < 30; second++) await situation.pass(1_000);

    expect(new Set(situation.servers.urls)).toEqual(new Set(three.urls));
    expect(situation.servers.sockets).toHaveLength(3);
    expect(second.closedWith?.reason).toContain('closer to the leader');
    expect(connections).toEqual([
      null,
      { url: 'ws://a', nodeId: 'na', isLeader: false },
      { url: situation.servers.last.url, nodeId: 'nc', isLeader: true },
    ]);
  });

  it('stays with a follower whose leader it does not find', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a'] });
    situation.servers.last.welcome('na', follower);
    for (let second = 0; second < 30; second++) await situation.pass(1_000);
    situation.write('w');
    await situation.pass();

    expect(situation.servers.sockets).toHaveLength(1);
    expect(situation.servers.last.requests()).toHaveLength(1);
  });

  it('leaves a server that knows of no leader for one that does, with what can be sent again', async () => {
    const situation = new Situation(three);
    const [a] = situation.servers.sockets;
    a?.welcome('na', { leaderId: null });
    const [read, write] = [situation.read('rr'), situation.write('w')];
    await situation.pass();
    expect(a?.requests()).toHaveLength(2);

    await situation.pass(2_500);
    expect(situation.servers.sockets).toHaveLength(2);
    situation.servers.last.welcome('nb', follower);
    await situation.pass();

    expect(situation.servers.last.requests().map(({ what }) => what)).toEqual(['rr']);
    expect([read.words, write.words]).toEqual([null, null]);
  });

  it('does not wait for a server that it has left and that has lost its leader, with what can be sent again', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    const [a] = situation.servers.sockets;
    a?.welcome('na', follower);
    const [read, write] = [situation.read('rr'), situation.write('w')];
    await situation.pass(100);
    const requests = a?.requests() ?? [];
    expect(requests).toHaveLength(2);
    const b = situation.servers.last;
    b.welcome('nb');
    await situation.pass(100);
    expect(b.requests()).toEqual([]);

    a?.say({ type: 'standing', isClosing: false, leaderId: null, leaderUrl: null });
    await situation.pass(100);

    expect(b.requests().map(({ what }) => what)).toEqual(['rr']);
    expect([read.words, write.words, a?.closedWith]).toEqual([null, null, null]);
    a?.commit(
      requests.filter(({ what }) => what === 'w'),
      7,
    );
    await situation.pass();
    expect(write.words).toBe('7: done');
    expect(a?.closedWith?.code).toBe(1000);
  });

  it('opens its session elsewhere where the server that was asked for it has lost its leader', async () => {
    const situation = new Situation({ urls: ['ws://a', 'ws://b'] });
    const [a] = situation.servers.sockets;
    a?.welcome('na', { ...follower, hasSessions: true });
    const write = situation.write('w');
    await situation.pass(100);
    const b = situation.servers.last;
    b.welcome('nb', { hasSessions: true });
    await situation.pass(100);
    expect([a?.requests().map(({ what }) => what), b.requests()]).toEqual([['open'], []]);

    a?.say({ type: 'standing', isClosing: false, leaderId: null, leaderUrl: null });
    await situation.pass(100);
    b.open(5);
    await situation.pass(100);
    b.apply(b.requests(), 6);
    await situation.pass();

    expect(write.words).toBe('6: done');
    expect(a?.closedWith?.code).toBe(1000);
  });

  it('leaves a server that closes, and lets it answer first', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    const [a] = situation.servers.sockets;
    a?.welcome('na');
    const write = situation.write('w');
    await situation.pass();
    const requests = a?.requests() ?? [];

    a?.say({ type: 'standing', isClosing: true, leaderId: 'na', leaderUrl: null });
    situation.write('x');
    await situation.pass(100);
    expect(a?.requests()).toEqual([]);
    situation.servers.last.welcome('nb');
    await situation.pass();

    expect(situation.servers.last.requests().map(({ what }) => what)).toEqual(['x']);
    a?.commit(requests, 3);
    await situation.pass();
    expect(write.words).toBe('3: done');
  });

  it.each(['RAFT_CLOSED', 'RAFT_STOPPED'])(
    'leaves a server that refuses with %s, and does not come back while others take it for the leader',
    async (code) => {
      const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
      const [a] = situation.servers.sockets;
      a?.welcome('na');
      const [refused, lost, kept] = [situation.write('x'), situation.write('y'), situation.write('z')];
      await situation.pass();
      const [x, y, z] = (a?.requests() ?? []) as [Received, Received, Received];

      a?.refuse(x, 'notCommitted', code);
      a?.refuse(y, 'unknown', code);
      const b = situation.servers.last;
      b.welcome('nb', { leaderId: 'na' });
      await situation.pass(100);
      a?.commit([z], 3);
      for (let second = 0; second < 5; second++) await situation.pass(900);

      expect(situation.servers.urls).toEqual(['ws://a', 'ws://b']);
      expect(b.requests().map(({ what }) => what)).toEqual(['x']);
      expect([refused.words, lost.words, kept.words]).toEqual([null, `${code} unknown`, '3: done']);
      expect(a?.closedWith?.code).toBe(1000);
    },
  );

  it('goes round once in each pulse where every server says that its node has closed', async () => {
    const situation = new Situation({ ...three, pingMs: 1_000, session: false });
    const { sockets } = situation.servers;
    const welcomed = new Set<unknown>();
    for (let ms = 0; ms < 4_000; ms += 10) {
      for (const socket of sockets) {
        if (welcomed.has(socket)) continue;
        welcomed.add(socket);
        socket.welcome(`n${socket.url.at(-1)}`, { leaderId: 'na' });
      }
      situation.write('w', { timeoutMs: 60_000 });
      await situation.pass(10);
      for (const socket of sockets)
        for (const request of socket.requests()) socket.refuse(request, 'notCommitted', 'RAFT_CLOSED');
    }

    expect(new Set(situation.servers.urls)).toEqual(new Set(three.urls)); // It did look everywhere.
    expect(sockets.length).toBeLessThanOrEqual(5 * three.urls.length);
  });

  it('stays with the only server that it has, also when that says that a node has closed', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a'] });
    const { last } = situation.servers;
    last.welcome('na');
    const write = situation.write('w');
    await situation.pass();

    for (const request of last.requests()) last.refuse(request, 'notCommitted', 'RAFT_CLOSED');
    await situation.pass(100);
    last.commit(last.requests(), 3);
    await situation.pass(2_000);

    expect(write.words).toBe('3: done');
    expect(situation.servers.sockets).toHaveLength(1);
  });

  it('does not talk to a server of another cluster', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    situation.servers.last.welcome('na');
    await situation.pass();
    situation.servers.last.drop();
    await situation.pass(100);
    situation.servers.last.welcome('nx', { clusterId: 'other' });
    const write = situation.write('w', { timeoutMs: 200 });
    await situation.pass(300);

    expect(situation.servers.sockets[1]?.closedWith?.code).toBe(4104);
    expect(write.message).toContain('it belongs to the cluster other, the others to cluster');
  });
});

describe('a client whose servers are away', () => {
  it('tries each at once, and then again after longer and longer pauses, up to a limit', async () => {
    const situation = new Situation({
      ...three,
      urls: ['ws://a', 'ws://b'],
      backoffMsMin: 100,
      backoffMsMax: 1_000,
    });
    const triedAt: number[] = [];
    for (let attempt = 0; attempt < 16; attempt++) {
      triedAt.push(situation.time.now());
      const { length } = situation.servers.sockets;
      situation.servers.last.drop();
      for (let ms = 0; ms < 2_000 && situation.servers.sockets.length === length; ms += 10)
        await situation.pass(10);
    }

    const pauses = triedAt.slice(1).map((at, place) => at - (triedAt[place] as number));
    expect(new Set(situation.servers.urls.slice(0, 2))).toEqual(new Set(['ws://a', 'ws://b']));
    expect(pauses[0]).toBeLessThanOrEqual(10);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_010);
    expect(Math.min(...pauses.slice(-4))).toBeGreaterThanOrEqual(490);
    expect(new Set(pauses.slice(-4)).size).toBeGreaterThan(1); // Jitter.
  });

  it('gives up an attempt that is not answered', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    const [first] = situation.servers.sockets;
    await situation.pass(3_000);

    expect(first?.closedWith).not.toBe(null);
    expect(situation.servers.urls.slice(0, 2)).toEqual(['ws://a', 'ws://b']);
  });

  it('gives up a server that says nothing, pings or not, and asks another', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    const [first] = situation.servers.sockets;
    if (first !== undefined) first.isSilent = true;
    first?.welcome('na');
    const read = situation.read('rr', { timeoutMs: 20_000 });
    await situation.pass(900);
    expect(first?.requests()).toHaveLength(1);
    await situation.pass(2_000);
    expect(first?.closedWith).toBe(null);
    await situation.pass(1_500);
    await situation.pass(1_000);

    expect(first?.closedWith?.reason).toBe('the server does not answer');
    expect(first?.isCut).toBe(true);
    situation.servers.last.welcome('nb');
    await situation.pass();
    expect(situation.servers.last.requests().map(({ what }) => what)).toEqual(['rr']);
    expect(read.words).toBe(null);
  });

  it.each<[string, (socket: FakeSocket) => void]>([
    ['takes what waits', (socket) => (socket.bufferedAmount -= 1_000)],
    [
      'sends part of a message',
      (socket) => (socket._socket = { bytesRead: (socket._socket?.bytesRead ?? 0) + 1 }),
    ],
  ])('keeps a server that says nothing for as long as it %s, pings or not', async (_what, move) => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    const [first] = situation.servers.sockets as [FakeSocket];
    first.isSilent = true;
    first.welcome('na');
    first.bufferedAmount = 100_000;

    for (let second = 0; second < 20; second++) {
      move(first);
      await situation.pass(1_000);
    }
    const during = first.closedWith;
    for (let second = 0; second < 6; second++) await situation.pass(1_000);

    expect(during).toBe(null);
    expect(first.closedWith?.reason).toBe('the server does not answer');
  });

  it('keeps a server that answers pings, and answers its own', async () => {
    const situation = new Situation(three);
    const { last } = situation.servers;
    last.welcome('na');
    for (let second = 0; second < 20; second++) await situation.pass(1_000);
    last.say({ type: 'ping', number: 17 });

    expect(last.closedWith).toBe(null);
    expect(last.frames()).toContainEqual({ type: 'pong', number: 17 });
  });

  it('hangs up on a server that does not speak the protocol, and goes on with another', async () => {
    const situation = new Situation({ ...three, urls: ['ws://a', 'ws://b'] });
    const [first] = situation.servers.sockets;
    first?.welcome('na');
    const write = situation.write('w');
    await situation.pass();
    first?.receive(Uint8Array.of(144, 0, 0, 0, 1, 40));
    await situation.pass(100);

    expect(first?.closedWith?.code).toBe(4102);
    expect(write.words).toBe('RAFT_UNKNOWN_OUTCOME unknown');
    expect(situation.servers.last.url).toBe('ws://b');
  });
});
