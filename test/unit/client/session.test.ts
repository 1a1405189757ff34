import { describe, expect, it } from 'vitest';
import { Situation } from './builders.ts';
import type { FakeSocket, Received } from './fake-servers.ts';

const withSessions = { hasSessions: true };

/** A client whose session 7 is open. */
async function inSession(options: ConstructorParameters<typeof Situation>[0] = {}): Promise<Situation> {
  const situation = new Situation(options);
  situation.servers.last.welcome('n1', withSessions);
  const first = situation.write('first');
  await situation.pass();
  situation.servers.last.open(7);
  await situation.pass();
  situation.servers.last.apply(situation.servers.last.requests(), 10);
  await situation.pass();
  expect(first.words).toBe('10: done');
  return situation;
}

const wordsOf = (socket: FakeSocket): readonly string[] => socket.requests().map(({ what }) => what);

describe('a client with a session', () => {
  it('opens it with the first command, and numbers its commands', async () => {
    const situation = await inSession();
    const { last } = situation.servers;

    situation.write('b');
    situation.write('c');
    await situation.pass();
    expect(wordsOf(last)).toEqual(['7/2 from 2: b', '7/3 from 2: c']);
  });

  it('says from which number on it has no answer', async () => {
    const situation = await inSession();
    const { last } = situation.servers;
    for (const command of ['b', 'c', 'd']) situation.write(command);
    await situation.pass();
    const [, c, d] = last.requests();

    last.apply(
      [c, d].filter((request) => request !== undefined),
      12,
    );
    situation.write('e');
    await situation.pass();
    expect(wordsOf(last)).toEqual(['7/5 from 2: e']);
  });

  it('sends a command again with its number when the connection was lost, and only answers it then', async () => {
    const situation = await inSession();
    const write = situation.write('b');
    await situation.pass();

    situation.servers.last.drop();
    await situation.pass(100);
    expect(write.words).toBe(null);
    situation.servers.last.welcome('n1', withSessions);
    await situation.pass();

    expect(situation.servers.sockets).toHaveLength(2);
    const requests = situation.servers.last.requests();
    expect(requests.map(({ what }) => what)).toEqual(['7/2 from 2: b']);
    situation.servers.last.apply(requests, 12);
    await situation.pass();
    expect(write.words).toBe('12: done');
  });

  it('sends a command again whose outcome the server does not know', async () => {
    const situation = await inSession();
    const { last } = situation.servers;
    const write = situation.write('b');
    await situation.pass();

    for (const request of last.requests()) last.refuse(request, 'unknown', 'RAFT_UNKNOWN_OUTCOME');
    await situation.pass(100);

    const again = last.requests();
    expect(again.map(({ what }) => what)).toEqual(['7/2 from 2: b']);
    for (const request of again) last.refuse(request, 'notCommitted', 'RAFT_NO_LEADER');
    await situation.pass();
    expect(write.words).toBe('RAFT_NO_LEADER unknown'); // The first one may be in the log.
  });

  it('keeps a command that may be in the log unknown, also where its time ends while it waits to go again', async () => {
    const situation = await inSession();
    const [late, given] = [situation.write('b', { timeoutMs: 1_000 }), new AbortController()];
    const aborted = situation.write('c', given);
    await situation.pass();

    situation.servers.last.drop();
    await situation.pass(500);
    given.abort();
    await situation.pass(600);

    expect([late.words, aborted.words]).toEqual(['RAFT_NOT_CONNECTED unknown', 'RAFT_ABORTED unknown']);
  });

  it('has no more commands under way than the cluster keeps results of', async () => {
    const situation = await inSession({ sessionRequestsMax: 3 });
    const { last } = situation.servers;
    for (const command of ['b', 'c', 'd', 'e']) situation.write(command);
    await situation.pass();

    const requests = last.requests();
    expect(requests.map(({ what }) => what.slice(-1))).toEqual(['b', 'c', 'd']);
    last.apply(requests.slice(1), 12); // The lowest is still without an answer.
    await situation.pass();
    expect(last.requests()).toEqual([]);
    last.apply(requests.slice(0, 1), 11);
    await situation.pass();
    expect(wordsOf(last)).toEqual(['7/5 from 5: e']);
  });

  it('opens another one when it has expired, for a command that was sent once, and is unknown of the others', async () => {
    const situation = await inSession();
    const sentTwice = situation.write('b');
    await situation.pass();
    situation.servers.last.drop();
    await situation.pass(100);
    situation.servers.last.welcome('n1', withSessions);
    const { last } = situation.servers;
    const once = situation.write('c');
    await situation.pass();

    last.commit(last.requests(), 20, '\u0002'); // Expired, both of them.
    await situation.pass(100);

    expect(sentTwice.words).toBe('RAFT_SESSION_EXPIRED unknown');
    expect(once.words).toBe(null);
    last.open(9);
    await situation.pass();
    const again = last.requests();
    expect(again.map(({ what }) => what)).toEqual(['9/1 from 1: c']);
    last.apply(again, 23);
    await situation.pass();
    expect(once.words).toBe('23: done');
  });

  it('keeps its session where a late answer to a command that was given up says that it has expired', async () => {
    const situation = await inSession();
    const { last } = situation.servers;
    const giveUp = new AbortController();
    situation.write('b', giveUp);
    await situation.pass();
    giveUp.abort();

    last.commit(last.requests(), 20, '\u0002');
    situation.write('c');
    await situation.pass();

    expect(wordsOf(last)).toEqual(['7/3 from 3: c']);
  });

  it('tells who waits for a session why there is none', async () => {
    const situation = new Situation();
    const { last } = situation.servers;
    last.welcome('n1', withSessions);
    const write = situation.write('a');
    await situation.pass();

    last.commit(last.requests(), 5, '\u0003'); // As many as may be.
    await situation.pass();

    expect(write.words).toBe('RAFT_OVERLOADED notCommitted');
    expect(write.message).toContain("A session can't be opened");
  });

  it('tries to open one again after longer and longer pauses where servers have no room for it', async () => {
    const situation = new Situation({ backoffMsMin: 100, backoffMsMax: 1_000 });
    const { last } = situation.servers;
    last.welcome('n1', withSessions);
    const first = situation.write('a');
    await situation.pass();

    const askedAt: number[] = [];
    let waiting = first;
    while (askedAt.length < 8) {
      const [request] = last.requests();
      if (request !== undefined) {
        expect(request.what).toBe('open');
        askedAt.push(situation.time.now());
        last.refuse(request, 'notCommitted', 'RAFT_OVERLOADED');
        await situation.pass();
        expect(waiting.words).toBe('RAFT_OVERLOADED notCommitted');
        expect(waiting.message).toBe("A session can't be opened: No."); // The server's words end with the advice.
        waiting = situation.write('a', { timeoutMs: 10_000 }); // A caller who tries again at once.
      }
      await situation.pass(5);
    }

    const pauses = askedAt.slice(1).map((at, place) => at - (askedAt[place] as number));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_020);
    expect(Math.min(...pauses.slice(-3))).toBeGreaterThanOrEqual(500);
    await situation.pass(1_020);
    last.open(7);
    await situation.pass();
    expect(wordsOf(last)).toEqual(['7/1 from 1: a']);
  });

  it.each([
    ['notCommitted', 'RAFT_NOT_LEADER'],
    ['unknown', 'RAFT_UNKNOWN_OUTCOME'],
  ] as const)(
    'tries to open one again after a moment where the answer was %s, %s, and the commands wait',
    async (outcome, code) => {
      const situation = new Situation();
      const { last } = situation.servers;
      last.welcome('n1', withSessions);
      const write = situation.write('a');
      await situation.pass();

      for (let attempt = 0; attempt < 8; attempt++) {
        const [request] = last.requests() as [Received];
        expect(request.what).toBe('open');
        last.refuse(request, outcome, code);
        await situation.pass();
        await situation.pass(20);
        expect(last.requests()).toEqual([]);
        await situation.pass(40);
      }
      last.open(7);
      await situation.pass();

      expect(wordsOf(last)).toEqual(['7/1 from 1: a']);
      expect(write.words).toBe(null);
    },
  );

  it('tells who waits for a session that the answer makes no sense, and does not ask again at once', async () => {
    const situation = new Situation();
    const { last } = situation.servers;
    last.welcome('n1', withSessions);
    const write = situation.write('a');
    await situation.pass();

    last.commit(last.requests(), 5, '?');
    situation.write('b');
    await situation.pass();

    expect(write.words).toBe('RAFT_BAD_RESULT notCommitted');
    expect(write.message).toContain("A session can't be opened: The answer can't be read");
    expect(last.requests()).toEqual([]);
  });

  it('is asked to do without: each command is sent once, and unknown when the connection is lost', async () => {
    const situation = new Situation({ session: false });
    situation.servers.last.welcome('n1', withSessions);
    const [write, read] = [situation.write('a'), situation.read('rr')];
    await situation.pass();
    expect(wordsOf(situation.servers.last)).toEqual(['plain a', 'rr']);

    situation.servers.last.drop();
    await situation.pass(100);
    situation.servers.last.welcome('n1', withSessions);
    await situation.pass();

    expect(write.words).toBe('RAFT_UNKNOWN_OUTCOME unknown');
    expect(read.words).toBe(null);
    expect(wordsOf(situation.servers.last)).toEqual(['rr']);
  });
});
