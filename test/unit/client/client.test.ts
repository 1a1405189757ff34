import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodePayload } from '../../../src/core/index.ts';
import { Situation } from './builders.ts';
import { clientOf } from './endpoints.ts';
import { FakeServers } from './fake-servers.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const noSession = { session: false };

describe('a client', () => {
  it('sends what is asked in one turn in one message, and gives each its own answer', async () => {
    const situation = new Situation();
    const { servers } = situation;
    servers.last.welcome('n1');
    await situation.pass();

    const [a, b] = [situation.write('aa'), situation.write('bb')];
    const [c, d] = [situation.read('cc'), situation.read('dd')];
    await situation.pass();

    expect(servers.last.messages).toHaveLength(2); // The hello, and this one.
    const requests = servers.last.requests();
    expect(requests.map(({ what }) => what)).toEqual(['aa', 'bb', 'cc', 'dd']);
    const ids = requests.map(({ id }) => id);
    servers.last.say(
      {
        type: 'answered',
        index: 9,
        ageMs: 3,
        ids: [ids[3] as number, ids[2] as number],
        payload: encodePayload([utf8('D'), utf8('C')]),
      },
      {
        type: 'written',
        firstId: ids[0] as number,
        index: 7,
        term: 2,
        count: 2,
        payload: encodePayload([utf8('A'), utf8('B')]),
      },
    );
    await situation.pass();
    expect([a, b, c, d].map(({ words }) => words)).toEqual(['7: A', '8: B', '9: C, 3 ms', '9: D, 3 ms']);
  });

  it('waits for a connection with what is asked before there is one', async () => {
    const situation = new Situation();
    const write = situation.write('early');
    await situation.pass(100);

    situation.servers.last.welcome('n1');
    await situation.pass();
    situation.servers.last.commit(situation.servers.last.requests(), 3);
    await situation.pass();

    expect(write.words).toBe('3: done');
  });

  it('sends no more than the server takes at once, and the rest as it answers', async () => {
    const situation = new Situation();
    const { last } = situation.servers;
    last.welcome('n1', { requestsMax: 3 });
    for (const command of ['w1', 'w2', 'w3', 'w4', 'w5']) situation.write(command);
    await situation.pass();

    const first = last.requests();
    expect(first.map(({ what }) => what)).toEqual(['w1', 'w2', 'w3']);
    last.commit(first.slice(0, 1), 1);
    await situation.pass();
    expect(last.requests().map(({ what }) => what)).toEqual(['w4']);
  });

  it('holds requests back while much waits for the network', async () => {
    const situation = new Situation({ bufferedBytesMax: 1_000 });
    const { last } = situation.servers;
    last.welcome('n1');
    last.bufferedAmount = 1_001;
    situation.write('held');
    await situation.pass();

    expect(last.requests()).toEqual([]);
    last.bufferedAmount = 0;
    await situation.pass(1_000);
    expect(last.requests().map(({ what }) => what)).toEqual(['held']);
  });

  it('makes messages that the server takes, and refuses a command that fits in none', async () => {
    const situation = new Situation();
    const { last } = situation.servers;
    last.welcome('n1', { frameBytesMax: 200 });
    const large = situation.write('x'.repeat(200));
    for (const _ of Array(6)) situation.write('y'.repeat(40));
    await situation.pass();

    expect(large.words).toBe('RAFT_COMMAND_TOO_LARGE notCommitted');
    const counts = last.frames().map((frame) => (frame.type === 'write' ? frame.count : 0));
    expect(counts).toEqual([3, 3]);
    expect(last.messages).toHaveLength(3);
  });

  it('refuses what goes beyond its bounds, as overloaded', async () => {
    const situation = new Situation({ pendingMax: 2, pendingBytesMax: 10 });

    const [first, second] = [situation.write('123456'), situation.write('1234567')];
    const [third, fourth] = [situation.write('1234'), situation.write('1')];
    await situation.pass();

    expect(first.words).toBe(null);
    expect(second.message).toMatch(/6 bytes.*7 more.*limit is 10/);
    expect(third.words).toBe(null);
    expect(fourth.words).toBe('RAFT_OVERLOADED notCommitted');
    expect(situation.client.pending).toBe(2);
  });

  it('takes one timer for all deadlines', async () => {
    const situation = new Situation();
    const schedule = vi.spyOn(situation.time, 'schedule');

    for (let at = 0; at < 1_000; at++) situation.write(`command ${at}`);

    expect(schedule.mock.calls.length).toBeLessThan(5);
  });

  it('waits as long as it is told, also where no timer takes so much', async () => {
    const situation = new Situation(noSession);
    const schedule = vi.spyOn(situation.time, 'schedule');

    const lengths = [2 ** 31 - 1, 2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY];
    const writes = lengths.reverse().map((timeoutMs) => situation.write('w', { timeoutMs }));
    await situation.pass();

    expect(writes.map(({ words }) => words)).toEqual([null, null, null, null]);
    expect(Math.max(...schedule.mock.calls.map(([, delayMs]) => delayMs ?? 0))).toBe(2 ** 31 - 1);
  });

  it('asks for at least the index that it has seen, where a read is of the session', async () => {
    const situation = new Situation(noSession);
    const { last } = situation.servers;
    last.welcome('n1');
    situation.write('w');
    await situation.pass();
    last.commit(last.requests(), 41);

    situation.read('own', { consistency: 'session' });
    situation.read('other', { consistency: 'session', index: 7 });
    situation.read('any', { consistency: 'stale' });
    await situation.pass();

    const wanted = last.frames().map((frame) => frame.type === 'read' && [frame.consistency, frame.index]);
    expect(wanted).toEqual([
      ['session', 41],
      ['session', 7],
      ['stale', 0],
    ]);
  });

  it('refuses what makes no sense', async () => {
    const situation = new Situation();
    const requests = [
      situation.write('w', { timeoutMs: 0 }),
      situation.read('r', { consistency: 'fresh' as 'stale' }),
      situation.read('r', { consistency: 'session', index: -1 }),
      situation.write(Symbol('no text') as unknown as string),
    ];
    await situation.pass();

    expect(requests.map(({ words }) => words)).toEqual([
      'RAFT_BAD_REQUEST notCommitted',
      'RAFT_BAD_REQUEST notCommitted',
      'RAFT_BAD_REQUEST notCommitted',
      'RAFT_BAD_COMMAND notCommitted',
    ]);
  });

  it('says everything that is wrong with its options at once', () => {
    const options = { urls: ['http://a', 'ws://b#c'], pendingMax: 0, timeoutMs: -1 };

    expect(() => new Situation(options)).toThrow(/http:\/\/a.*ws:\/\/b#c.*pendingMax is 0.*timeoutMs is -1/s);
    expect(() => new Situation({ urls: [] })).toThrow('urls is empty');
    expect(() => new Situation({ pingMs: 2 ** 31, backoffMsMax: 2 ** 40, pendingMax: 2 ** 31 })).toThrow(
      /^[^:]*:\n {2}- backoffMsMax is 1099511627776, .*\n {2}- pingMs is 2147483648, expected at most 2147483647 /,
    );
  });
});

describe('a request that nobody waits for any more', () => {
  it('was not carried out if no server was reached, and the error says why', async () => {
    const situation = new Situation(noSession);
    const [write, read] = [situation.write('w'), situation.read('r')];
    for (let attempt = 0; attempt < 50; attempt++) {
      situation.servers.last.drop('connection refused');
      await situation.pass(100);
    }

    expect(write.words).toBe('RAFT_NOT_CONNECTED notCommitted');
    expect(read.words).toBe('RAFT_NOT_CONNECTED notCommitted');
    expect(write.message).toContain('ws://a: connection refused');
  });

  it('may have been carried out once it was sent, unless it is a read', async () => {
    const situation = new Situation(noSession);
    situation.servers.last.welcome('n1');
    const late = [situation.write('w', { timeoutMs: 100 }), situation.read('r', { timeoutMs: 100 })];
    const giveUp = new AbortController();
    const given = [situation.write('w', giveUp), situation.read('r', giveUp)];
    await situation.pass(99);
    expect([...late, ...given].map(({ words }) => words)).toEqual([null, null, null, null]);

    giveUp.abort();
    await situation.pass(20);

    expect(late.map(({ words }) => words)).toEqual(['RAFT_TIMEOUT unknown', 'RAFT_TIMEOUT notCommitted']);
    expect(given.map(({ words }) => words)).toEqual(['RAFT_ABORTED unknown', 'RAFT_ABORTED notCommitted']);
    expect(situation.client.pending).toBe(0);
  });

  it('was not carried out if its signal aborts before it leaves, and does not leave', async () => {
    const situation = new Situation(noSession);
    const giveUp = new AbortController();
    const [write, tooLate] = [situation.write('w', giveUp), situation.write('kept')];
    giveUp.abort();
    const after = situation.write('x', giveUp);
    situation.servers.last.welcome('n1');
    await situation.pass();

    expect([write.words, after.words, tooLate.words]).toEqual([
      'RAFT_ABORTED notCommitted',
      'RAFT_ABORTED notCommitted',
      null,
    ]);
    expect(situation.servers.last.requests().map(({ what }) => what)).toEqual(['kept']);
  });

  it.each([new AbortController(), null, 'now'])(
    'is refused with a signal that is none, and neither sent nor answered twice',
    async (signal) => {
      const situation = new Situation(noSession);
      const write = situation.write('w', { signal: signal as unknown as AbortSignal });
      situation.servers.last.welcome('n1');
      await situation.pass();
      await situation.client.close();

      expect(write.words).toBe('RAFT_BAD_REQUEST notCommitted');
      expect(situation.servers.last.requests()).toEqual([]);
    },
  );

  it('gives the server a little less time than there is, so that its reason comes first', async () => {
    const situation = new Situation(noSession);
    situation.servers.last.welcome('n1');
    situation.write('w', { timeoutMs: 1_000 });
    situation.write('w', { timeoutMs: 2_000 });
    await situation.pass();

    expect(situation.servers.last.frames()).toMatchObject([{ timeoutMs: 1_900 }]);
  });

  it('is answered when the client closes, and the connection is closed', async () => {
    const situation = new Situation(noSession);
    const { last } = situation.servers;
    last.welcome('n1', { requestsMax: 1 });
    const [sent, held] = [situation.write('sent'), situation.write('held')];
    await situation.pass();
    const isComplete = vi.fn();
    situation.client.connection$.subscribe({ complete: isComplete });

    await situation.client.close();
    const after = situation.write('after');
    await situation.pass();

    expect([sent.words, held.words, after.words]).toEqual([
      'RAFT_CLOSED unknown',
      'RAFT_CLOSED notCommitted',
      'RAFT_CLOSED notCommitted',
    ]);
    expect(last.closedWith?.code).toBe(1000);
    expect(isComplete).toHaveBeenCalled();
    await situation.pass(60_000);
    expect(situation.servers.sockets).toHaveLength(1);
  });
});

describe('a client without a WebSocket of its own', () => {
  it('takes the global one', () => {
    const servers = new FakeServers();
    vi.stubGlobal('WebSocket', servers.WebSocket);
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });

    clientOf('ws://a', { WebSocket: undefined as never });

    expect(servers.urls).toEqual(['ws://a']);
  });

  it('is refused where there is no global one, and told which to hand over', () => {
    vi.stubGlobal('WebSocket', undefined);
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });

    expect(() => clientOf('ws://a', { WebSocket: undefined as never })).toThrow(
      expect.objectContaining({
        code: 'RAFT_BAD_OPTIONS',
        message: expect.stringMatching(/option WebSocket: ClientWebSocket of rxraft\/transport/),
      }),
    );
  });
});

describe('a client without a scheduler of its own', () => {
  it('keeps its deadlines also where somebody sets the wall clock back', async () => {
    const servers = new FakeServers();
    const client = clientOf('ws://a', { WebSocket: servers.WebSocket, timeoutMs: 50 });
    servers.last.welcome('n1');
    const wallClock = vi.spyOn(Date, 'now');
    onTestFinished(() => wallClock.mockRestore());

    const read = client.read('r');
    wallClock.mockReturnValue(0);

    await expect(read).rejects.toMatchObject({ code: 'RAFT_TIMEOUT' });
  });
});

describe('a connection that the client closes', () => {
  it('is cut if the server does not close it too, so that the process can end', async () => {
    const [hung, fine] = [new Situation(noSession), new Situation(noSession)];
    for (const { servers } of [hung, fine]) servers.last.welcome('n1');

    for (const { client } of [hung, fine]) await client.close();
    fine.servers.last.onclose?.({ code: 1000, reason: '' });
    await Promise.all([hung.pass(499), fine.pass(60_000)]);
    const before = hung.servers.last.isCut;
    await hung.pass(1);

    expect([before, hung.servers.last.isCut, fine.servers.last.isCut]).toEqual([false, true, false]);
  });
});

describe('a request that a server refuses', () => {
  it('is told so, with the code and the outcome that the server gives', async () => {
    const situation = new Situation(noSession);
    const { last } = situation.servers;
    last.welcome('n1');
    const [first, second] = [situation.write('a'), situation.write('b')];
    await situation.pass();

    const [a, b] = last.requests();
    if (a !== undefined) last.refuse(a, 'notCommitted', 'RAFT_OVERLOADED');
    if (b !== undefined) last.refuse(b, 'unknown', 'RAFT_TIMEOUT');
    await situation.pass();

    expect([first.words, second.words]).toEqual(['RAFT_OVERLOADED notCommitted', 'RAFT_TIMEOUT unknown']);
  });

  it('goes again after a moment if the server only was not the one to ask', async () => {
    const situation = new Situation(noSession);
    const { last } = situation.servers;
    last.welcome('n1');
    const write = situation.write('again');
    await situation.pass();

    for (const request of last.requests()) last.refuse(request, 'notCommitted', 'RAFT_NOT_LEADER');
    await situation.pass(49);
    expect(last.requests()).toEqual([]);
    await situation.pass(1);
    last.commit(last.requests(), 5);
    await situation.pass();

    expect(write.words).toBe('5: done');
  });

  it('was carried out if only its answer makes no sense', async () => {
    const situation = new Situation({
      ...noSession,
      result: {
        encode: utf8,
        decode: () => {
          throw new RangeError('no result');
        },
      },
    });
    const { last } = situation.servers;
    last.welcome('n1');
    const [write, other] = [situation.write('w'), situation.write('mistaken')];
    await situation.pass();
    const [first, second] = last.requests();

    last.commit(first === undefined ? [] : [first], 5);
    last.say({
      type: 'answered',
      index: 5,
      ageMs: 0,
      ids: [second?.id ?? 0],
      payload: encodePayload([utf8('?')]),
    });
    await situation.pass();

    expect([write.words, other.words]).toEqual(['RAFT_BAD_RESULT unknown', 'RAFT_BAD_RESULT unknown']);
  });
});
