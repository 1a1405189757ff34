import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { BehaviorSubject } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { decodePayload, encodePayload } from '../../../src/core/index.ts';
import { encodeClientMessage } from '../../../src/transport/client/message-codec.ts';
import { clientEndpoint } from '../../../src/transport/client-endpoint.ts';
import { clientOf, RawClient, served } from './endpoints.ts';

/** A node that commits whatever it is given at once, with results so long. */
function committing(length: number) {
  return {
    id: 'n1',
    leader$: new BehaviorSubject<string | null>('n1'),
    status: () => ({ clusterId: 'c', leaderId: 'n1' }),
    read: () => Promise.reject(new Error('nobody reads')),
    async writeEncoded(commands: readonly unknown[]) {
      return { index: 101, term: 3, results: commands.map((_, at) => `${at} `.padEnd(length, 'x')) };
    },
  };
}

/** A node that gives answers so long when it is told to. */
function heldReads(length: number) {
  let count = 0;
  let release = (): void => undefined;
  let held = Promise.resolve();
  const hold = (): void => {
    held = new Promise((resolve) => {
      release = resolve;
    });
  };
  hold();
  const node = {
    id: 'n1',
    leader$: new BehaviorSubject<string | null>('n1'),
    status: () => ({ clusterId: 'c', leaderId: 'n1' }),
    writeEncoded: () => Promise.reject(new Error('nobody writes')),
    async read() {
      count += 1;
      await held;
      return { value: 'x'.repeat(length), index: 1, ageMs: 0 };
    },
  };
  return { node, asked: () => count, hold, release: () => release() };
}

describe('an endpoint for clients', () => {
  it('writes and reads', async () => {
    const { url } = await served();
    const client = clientOf(url);

    const written = await Promise.all(['a', 'b', 'c'].map((letter) => client.write(letter)));
    const { value, index } = await client.read('all');

    expect(written.map(({ result }) => result)).toEqual(['a', 'ab', 'abc']);
    expect(value).toBe('abc');
    expect(index).toBe(written[2]?.index);
    await expect(client.read('all', { consistency: 'stale' })).resolves.toMatchObject({ value: 'abc' });
  });

  it('is refused with limits that are no numbers above zero, and times that no timer keeps', () => {
    const make = () => clientEndpoint({ pingMs: 2 ** 31, closeTimeoutMs: 2 ** 40, requestsMax: 0 } as never);

    expect(make).toThrow(
      expect.objectContaining({
        code: 'RAFT_BAD_OPTIONS',
        message: expect.stringMatching(
          /requestsMax is 0, .*pingMs is 2147483648, .*closeTimeoutMs is 1099511627776, /s,
        ),
      }),
    );
  });

  it('gives the node the commands of one message with one call, and answers them with one frame', async () => {
    const { url, writes } = await served();
    const client = new RawClient(url);
    await client.hello();

    client.write(10, ...Array(100).fill('a'));
    await client.answered(100);

    expect(writes).toEqual([100]);
    expect(client.frames.filter(({ type }) => type === 'written')).toMatchObject([
      { firstId: 10, count: 100 },
    ]);
  });

  it('gives the node no more at once than it takes', async () => {
    const { url, writes } = await served({ commandBytesMax: 100 });
    const client = clientOf(url);

    await Promise.all(Array.from({ length: 10 }, () => client.write('x'.repeat(30))));

    expect(writes).toEqual([3, 3, 3, 1]);
  });

  it('sends the answers of one turn in one message', async () => {
    const { url } = await served();
    const client = new RawClient(url);
    await client.hello();
    client.read(1, ...Array(50).fill('3')); // Answers turn out small.
    await client.answered(50);
    const { length } = client.messages;

    client.read(51, ...Array(50).fill('3'));
    await client.answered(100);

    expect(client.messages).toHaveLength(length + 1);
  });

  it('refuses a command that can not be read, or is not wanted, to its caller, and logs the others', async () => {
    const { url, node } = await served({ check: (command) => (command === 'no' ? 'it says no' : null) });
    const client = clientOf(url);
    const before = node.status().lastIndex;

    const answers = await Promise.allSettled(['a', '!!', 'b', 'no', 'c'].map((word) => client.write(word)));

    expect(
      answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.result : answer.reason.code)),
    ).toEqual(['a', 'RAFT_BAD_COMMAND', 'ab', 'RAFT_BAD_COMMAND', 'abc']);
    expect(answers[1]).toMatchObject({
      reason: { outcome: 'notCommitted', message: expect.stringContaining('"!!"') },
    });
    expect(node.status().lastIndex).toBe(before + 3);
  });

  it('tells who wrote a command whose result can not be encoded that it is committed, and the others their results', async () => {
    const encode = (value: string): Uint8Array => {
      if (value === '1 x') throw new Error('no bytes for this');
      return value === '3 x' ? (undefined as never) : new TextEncoder().encode(value);
    };
    const result = { encode, decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes) };
    const { url } = await served({ node: committing(3), result });
    const client = new RawClient(url);
    await client.hello();

    client.write(11, 'a', 'b', 'c', 'd');
    await client.answered(4);

    const bad = { type: 'refused', count: 1, code: 'RAFT_BAD_RESULT', outcome: 'unknown' } as const;
    expect(client.frames).toMatchObject([
      { type: 'written', firstId: 11, index: 101, count: 1 },
      { ...bad, firstId: 12, message: expect.stringMatching(/committed at index 102, .*no bytes for this/) },
      { type: 'written', firstId: 13, index: 103, count: 1 },
      {
        ...bad,
        firstId: 14,
        message: expect.stringMatching(/committed at index 104, .*encode gave undefined/),
      },
    ]);
  });

  it('tells a client nothing of an error that nobody foresaw, and the log everything', async () => {
    const error = vi.fn();
    const { url } = await served({ logger: { error } });

    const answer = clientOf(url).read('throw');

    await expect(answer).rejects.toMatchObject({ code: 'RAFT_SERVER_FAILED', outcome: 'notCommitted' });
    await expect(answer).rejects.not.toThrow('secret');
    expect(error.mock.calls[0]?.[0].err.message).toBe('a secret of the server');
  });

  it('says who leads, and when that changes', async () => {
    const { url, node } = await served({ clientUrlOf: (id) => `ws://${id}.example/client` });
    await vi.waitUntil(() => node.status().leaderId === 'n1', 30_000);
    const client = new RawClient(url);
    await client.hello();

    expect(client.messages[0]).toMatchObject({
      welcome: { nodeId: 'n1', leaderId: 'n1', leaderUrl: 'ws://n1.example/client', hasSessions: false },
    });
    client.send({ type: 'frames', frames: [{ type: 'ping', number: 5 }] });
    await client.until((message) => message.type === 'frames' && message.frames[0]?.type === 'pong');
  });

  it('refuses new requests when it closes, answers the others, and says goodbye', async () => {
    const { url, endpoint, hold } = await served();
    const client = new RawClient(url);
    await client.hello();
    const release = hold();

    client.write(1, 'a');
    await vi.waitUntil(() => endpoint.requests === 1, 30_000);
    const closing = endpoint.close();
    client.write(2, 'b');
    await client.answered(1);
    release();
    await closing;

    expect(client.frames).toContainEqual(expect.objectContaining({ type: 'standing', isClosing: true }));
    expect(client.frames).toContainEqual(
      expect.objectContaining({ type: 'refused', firstId: 2, code: 'RAFT_CLOSED' }),
    );
    expect(client.frames).toContainEqual(expect.objectContaining({ type: 'written', firstId: 1 }));
    await expect(client.closed).resolves.toMatchObject({ code: 1001 });
    await expect(new RawClient(url).refused).resolves.toMatchObject({ status: 503 });
  });
});

describe('an endpoint whose application throws', () => {
  const boom = (): never => {
    throw new Error('boom');
  };
  const logged = (error: { readonly mock: { readonly calls: readonly unknown[][] } }): readonly string[] =>
    error.mock.calls.map(([facts]) => (facts as { readonly err: Error }).err.message);

  it('in `admit` refuses that connection, and goes on', async () => {
    const error = vi.fn();
    const admit = ({ headers }: IncomingMessage) =>
      headers.origin === undefined || new URL(headers.origin).host === 'good.example'
        ? null
        : (undefined as never);
    const { url } = await served({ admit, logger: { error } });

    const refused = { status: 500, text: expect.stringContaining('log') };
    await expect(new RawClient(url, { origin: 'no URL' }).refused).resolves.toEqual(refused);
    await expect(new RawClient(url, { origin: 'http://a.example' }).refused).resolves.toEqual(refused);
    await expect(new RawClient(url, { origin: 'http://good.example' }).hello()).resolves.toBe(undefined);
    expect(logged(error)).toEqual(['Invalid URL', expect.stringContaining('admit gave undefined')]);
  });

  it.each<[string, () => string, string]>([
    ['throws', boom, 'boom'],
    ['gives what is no URL', () => 'n1:8101', 'clientUrlOf gave n1:8101'],
  ])('or whose `clientUrlOf` %s, tells clients who leads, and not where', async (_, clientUrlOf, why) => {
    const error = vi.fn();
    const { url } = await served({ clientUrlOf, logger: { error } });
    const client = new RawClient(url);

    await client.hello();

    expect(client.messages[0]).toMatchObject({ welcome: { leaderId: 'n1', leaderUrl: null } });
    expect(logged(error)).toContainEqual(expect.stringContaining(why));
  });

  it('in its logger answers all the same', async () => {
    const { url, endpoint } = await served({ logger: { error: boom } });

    await expect(clientOf(url).read('throw')).rejects.toMatchObject({ code: 'RAFT_SERVER_FAILED' });
    expect(endpoint.requests).toBe(0);
  });

  it('in `read` of its node refuses that query', async () => {
    const error = vi.fn();
    const { url, endpoint } = await served({ node: { ...committing(1), read: boom }, logger: { error } });

    const read = clientOf(url).read('q');

    await expect(read).rejects.toMatchObject({ code: 'RAFT_SERVER_FAILED', outcome: 'notCommitted' });
    expect(logged(error)).toEqual(['boom']);
    expect(endpoint.requests).toBe(0);
  });

  it('or gives no bytes for an answer, refuses that query', async () => {
    const error = vi.fn();
    const answer = { encode: () => undefined as never, decode: () => '' };
    const { url, endpoint } = await served({ answer, logger: { error } });

    const read = clientOf(url).read('all');

    await expect(read).rejects.toMatchObject({ code: 'RAFT_SERVER_FAILED', outcome: 'notCommitted' });
    expect(logged(error)).toEqual(['encode gave undefined, expected a Uint8Array']);
    expect(endpoint.requests).toBe(0);
  });
});

describe('an endpoint that is closed twice', () => {
  it('closes once, and both wait until it has', async () => {
    const { url, endpoint, hold } = await served({ closeTimeoutMs: 60_000 });
    const client = new RawClient(url);
    await client.hello();
    const release = hold();
    client.write(1, 'a');
    await vi.waitUntil(() => endpoint.requests === 1, 30_000);

    const first = endpoint.close();
    const second = endpoint.close();
    release();
    await Promise.all([first, second]); // Neither runs into its time limit.

    expect(client.frames).toContainEqual(expect.objectContaining({ type: 'written', firstId: 1 }));
    expect(endpoint.connections).toBe(0);
    await expect(endpoint.close()).resolves.toBe(undefined);
  });
});

describe('an endpoint that closes while a request is on its way to it', () => {
  it('reads and refuses it before it says goodbye', async () => {
    const { url, endpoint, writes } = await served({ closeTimeoutMs: 60_000 });
    const client = new RawClient(url);
    await client.hello();

    client.write(1, 'a');
    await endpoint.close(); // Nothing has arrived that it would have to wait for.

    expect(client.frames).toContainEqual(
      expect.objectContaining({
        type: 'refused',
        firstId: 1,
        code: 'RAFT_CLOSED',
        outcome: 'notCommitted',
      }),
    );
    await expect(client.closed).resolves.toMatchObject({ code: 1001 });
    expect(writes).toEqual([]);
  });

  it('leaves no caller in doubt', async () => {
    const { url, endpoint } = await served({ closeTimeoutMs: 60_000 });
    const client = clientOf(url, { session: false });
    await client.write('a');

    const write = client.write('b', { timeoutMs: 300 }); // Leaves at the end of this turn.
    const closing = endpoint.close();

    await expect(write).rejects.toMatchObject({ outcome: 'notCommitted' });
    await closing;
  });
});

describe('an endpoint that tells its clients that it closes', () => {
  const told = (client: RawClient): Promise<void> => client.until(({ type }) => type === 'frames');

  it('waits for no answer of a client that has not introduced itself', async () => {
    const { url, endpoint } = await served({ closeTimeoutMs: 60_000, handshakeTimeoutMs: 60_000 });
    const client = new RawClient(url);
    client.answersPings = false;
    await client.opened;

    await endpoint.close(); // It does not run into its time limit.

    expect(endpoint.connections).toBe(0);
  });

  it.each<[string, (client: RawClient) => unknown]>([
    ['hangs up', ({ socket }) => socket.close()],
    ['is cut off', ({ socket }) => socket.terminate()],
    ['breaks the protocol', ({ socket }) => socket.send('text')],
  ])('waits for no answer of a client that %s', async (_, leave) => {
    const { url, endpoint } = await served({ closeTimeoutMs: 60_000 });
    const client = new RawClient(url);
    client.answersPings = false;
    await client.hello();
    void told(client).then(() => leave(client));

    await endpoint.close();

    expect(endpoint.connections).toBe(0);
  });

  it.each(['says nothing', 'asks more and more'])('does not wait for ever for one that %s', async (what) => {
    const { url, endpoint } = await served({ closeTimeoutMs: 50 });
    const client = new RawClient(url);
    await client.hello();
    client.answersPings = false;
    const asking = what === 'says nothing' ? undefined : setInterval(() => client.write(1, 'a'), 1);

    await endpoint.close();
    clearInterval(asking);

    expect(endpoint.connections).toBe(0);
    await expect(client.closed).resolves.toMatchObject({ code: 1001 });
  });

  it('lets in nobody who introduces himself only then', async () => {
    const { url, endpoint, hold } = await served();
    const [busy, late] = [new RawClient(url), new RawClient(url)];
    await Promise.all([busy.hello(), late.opened]);
    const release = hold();
    busy.write(1, 'a');
    await vi.waitUntil(() => endpoint.requests === 1, 30_000);

    const closing = endpoint.close();
    late.send({ type: 'hello', hello: { protocolVersion: 1, group: 0 } });

    await expect(late.closed).resolves.toMatchObject({ code: 1001 });
    expect(late.messages).toEqual([]);
    release();
    await closing;
  });

  it('leaves no timer behind', async () => {
    const closeTimeoutMs = 59_999;
    const { url, endpoint } = await served({ closeTimeoutMs });
    const client = new RawClient(url);
    await client.hello();
    const [setTimer, clearTimer] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')];
    onTestFinished(() => {
      vi.restoreAllMocks();
    });

    await endpoint.close();

    const timers = setTimer.mock.calls.flatMap(([, delayMs], at) =>
      delayMs === closeTimeoutMs ? [setTimer.mock.results[at]?.value] : [],
    );
    expect(timers.length).toBeGreaterThan(0);
    expect(clearTimer.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(timers));
  });
});

describe('an endpoint that closes while clients do not read', () => {
  it('has cut their connections when it has closed', async () => {
    const { url, endpoint, server } = await served({ closeTimeoutMs: 20 });
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const clients = [new RawClient(url), new RawClient(url)];
    for (const client of clients) {
      await client.hello();
      client.socket.pause(); // It never hears that it should close.
    }

    await endpoint.close();

    expect(endpoint.connections).toBe(0);
    expect(sockets.map((socket) => socket.closed)).toEqual([true, true]);
  });
});

describe('an endpoint whose node has stopped', () => {
  it('says that it closes, and takes nothing more', async () => {
    const { url, node } = await served();
    const client = new RawClient(url);
    await client.hello();

    await node.close();
    client.write(1, 'a');
    await client.answered(1);

    expect(client.frames).toContainEqual(expect.objectContaining({ type: 'standing', isClosing: true }));
    expect(client.frames).toContainEqual(expect.objectContaining({ type: 'refused', code: 'RAFT_CLOSED' }));
    await expect(new RawClient(url).refused).resolves.toMatchObject({ status: 503 });
  });
});

describe('a connection that does not keep to the protocol', () => {
  const frames = encodeClientMessage({ type: 'frames', frames: [{ type: 'ping', number: 1 }] });

  it.each([
    ['an unknown frame', Uint8Array.of(144, 0, 0, 0, 1, 40), 'byte 6: unknownType'],
    ['half a frame', frames.subarray(0, frames.length - 1), 'truncated'],
    [
      'a second hello',
      encodeClientMessage({ type: 'hello', hello: { protocolVersion: 1, group: 0 } }),
      'second hello',
    ],
    [
      'what only a server says',
      encodeClientMessage({
        type: 'frames',
        frames: [{ type: 'standing', isClosing: false, leaderId: null, leaderUrl: null }],
      }),
      'standing',
    ],
  ])('by %s is closed with a code and a reason', async (_, bytes, reason) => {
    const { url, node } = await served();
    const client = new RawClient(url);
    await client.hello();
    const before = node.status().lastIndex;

    client.socket.send(bytes);

    const closed = await client.closed;
    expect(closed).toEqual({ code: 1002, reason: expect.stringContaining(reason) });
    expect(node.status().lastIndex).toBe(before);
  });

  it('in the last frame of a message is closed before the first ones reach the node', async () => {
    const { url, endpoint, writes, reads } = await served();
    const client = new RawClient(url);
    await client.hello();
    const payload = encodePayload([Uint8Array.of(97)]);
    const items = { timeoutMs: 2_000, count: 1, payload };

    client.send({
      type: 'frames',
      frames: [
        { type: 'write', firstId: 1, ...items },
        { type: 'read', firstId: 2, consistency: 'stale', index: 0, ...items },
        { type: 'written', firstId: 1, index: 1, term: 1, count: 1, payload },
      ],
    });

    await expect(client.closed).resolves.toMatchObject({
      code: 1002,
      reason: expect.stringContaining('written'),
    });
    expect(writes).toEqual([]);
    expect(reads).toEqual([]);
    expect(endpoint.requests).toBe(0);
  });

  it('by text, or frames before a hello, is closed too', async () => {
    const { url } = await served();
    const [texting, hasty] = [new RawClient(url), new RawClient(url)];
    await Promise.all([texting.opened, hasty.opened]);

    texting.socket.send('hello');
    hasty.socket.send(frames);

    await expect(texting.closed).resolves.toMatchObject({
      code: 1002,
      reason: expect.stringContaining('text'),
    });
    await expect(hasty.closed).resolves.toMatchObject({
      code: 1002,
      reason: expect.stringContaining('before a hello'),
    });
  });

  it('by a message that is too long is closed before it is read', async () => {
    const { url } = await served({ frameBytesMax: 1_000 });
    const client = new RawClient(url);
    await client.hello();

    client.write(1, 'x'.repeat(1_000));

    await expect(client.closed).resolves.toMatchObject({ code: 1009 });
  });

  it('by another version, or for another group, is refused with a reason for a person', async () => {
    const { url } = await served();
    const [later, other] = [new RawClient(url), new RawClient(url)];
    await Promise.all([later.opened, other.opened]);

    later.socket.send(Uint8Array.of(129, 0x72, 0x78, 0x72, 0x63, 0, 9, 1, 2, 3));
    other.send({ type: 'hello', hello: { protocolVersion: 1, group: 3 } });
    await Promise.all([later.closed, other.closed]);

    expect(later.messages).toMatchObject([
      { refusal: { code: 'protocolVersion', reason: expect.stringContaining('9') } },
    ]);
    expect(other.messages).toMatchObject([{ refusal: { code: 'noSuchGroup' } }]);
  });

  it('by saying nothing is cut', async () => {
    const { url, endpoint } = await served({ handshakeTimeoutMs: 20 });
    const client = new RawClient(url);

    await expect(client.closed).resolves.toMatchObject({ code: 1006 });
    await vi.waitUntil(() => endpoint.connections === 0, 30_000);
  });
});

describe('what clients can cost', () => {
  it('is limited in connections', async () => {
    const { url } = await served({ connectionsMax: 1 });
    const first = new RawClient(url);
    await first.hello();

    await expect(new RawClient(url).refused).resolves.toEqual({
      status: 503,
      text: '1 clients are connected, and no more may be\n',
    });
  });

  it('is limited in requests, of one connection and of all, and in their bytes', async () => {
    const { url, endpoint, hold } = await served({
      requestsMax: 3,
      allRequestsMax: 4,
      allRequestBytesMax: 60,
    });
    const [one, two] = [new RawClient(url), new RawClient(url)];
    await Promise.all([one.hello(), two.hello()]);
    const release = hold();

    one.write(1, 'a', 'b', 'c', 'd');
    await one.answered(4);
    one.write(5, 'x'.repeat(40), 'y');
    await vi.waitUntil(() => endpoint.requests === 2, 30_000);
    two.write(1, 'x'.repeat(20));
    two.write(2, 'a', 'b', 'c');
    await two.answered(4);
    release();
    await one.answered(6);

    expect([...one.frames, ...two.frames].filter(({ type }) => type === 'refused')).toMatchObject([
      {
        firstId: 1,
        count: 4,
        code: 'RAFT_OVERLOADED',
        message: expect.stringMatching(/0 requests of this.*4 more.*is 3/),
      },
      {
        firstId: 1,
        outcome: 'notCommitted',
        message: expect.stringMatching(/49 bytes.*24 more.*limit is 60/),
      },
      { firstId: 2, count: 3, message: expect.stringMatching(/2 requests of all.*3 more.*limit is 4/) },
    ]);
    expect(endpoint.requests).toBe(0);
  });

  it('is what waits at one time: requests that are answered give their bytes back, also while others wait', async () => {
    const { url, hold } = await served({ allRequestBytesMax: 60 });
    const client = new RawClient(url);
    await client.hello();
    const release = hold();
    client.write(1, 'x'.repeat(30));

    for (let id = 2; id < 12; id++) {
      client.read(id, '3');
      await client.answered(id - 1);
    }
    release();
    await client.answered(11);

    expect(client.frames.filter(({ type }) => type === 'refused')).toEqual([]);
  });

  it('is limited in time, whatever the client says, and what waits for an index ends with its connection', async () => {
    const [short, long] = [await served({ timeoutMsMax: 50 }), await served()];
    const [stays, goes] = [new RawClient(short.url), new RawClient(long.url)];
    await Promise.all([stays.hello(), goes.hello()]);
    const payload = encodePayload([Uint8Array.of(33)]);
    const never = { consistency: 'session', index: 2 ** 51, timeoutMs: 2 ** 32 - 1 } as const;
    const frame = { type: 'read', firstId: 1, count: 1, payload, ...never } as const;

    for (const client of [stays, goes]) client.send({ type: 'frames', frames: [frame] });
    await stays.answered(1);
    await vi.waitUntil(() => long.endpoint.requests === 1, 30_000);
    goes.socket.terminate();
    await vi.waitUntil(() => long.endpoint.requests === 0, 30_000);

    expect(stays.frames).toMatchObject([{ type: 'refused', code: 'RAFT_TIMEOUT', outcome: 'notCommitted' }]);
  });

  it('ends with its connection where a request waits for a leader; with a leader it does without a signal', async () => {
    const leader$ = new BehaviorSubject<string | null>(null);
    const signals: (AbortSignal | undefined)[] = [];
    const wait = (_: unknown, { signal }: { readonly signal?: AbortSignal }) => {
      signals.push(signal);
      return new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', reject));
    };
    const status = () => ({ clusterId: 'c', leaderId: leader$.value });
    const { url, endpoint } = await served({
      node: { id: 'n1', leader$, status, read: wait, writeEncoded: wait },
    });
    const client = new RawClient(url);
    await client.hello();
    const ask = async (firstId: number) => {
      const payload = encodePayload([new Uint8Array(0)]);
      const head = { firstId, timeoutMs: 1_000, count: 1, payload };
      const read = { type: 'read', ...head, consistency: 'linearizable', index: 0 } as const;
      client.send({ type: 'frames', frames: [read, { type: 'write', ...head, firstId: firstId + 1 }] });
      await vi.waitUntil(() => endpoint.requests === firstId + 1, 30_000);
    };

    await ask(1);
    leader$.next('n1');
    await ask(3);
    client.socket.terminate();
    await vi.waitUntil(() => endpoint.requests === 2, 30_000);

    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true, undefined, undefined]);
  });

  it('is limited where a client does not read its answers: it is not read from, either', async () => {
    const { url, reads } = await served({ bufferedBytesMax: 10_000 });
    const client = new RawClient(url);
    await client.hello();
    client.socket.pause();

    for (let at = 0; at < 400; at++) client.read(at * 10, ...Array(10).fill('100000')); // 400 MB of answers.
    await vi.waitUntil(() => reads.length > 0, 30_000);
    await pause(100);
    const whilePaused = reads.length;
    client.socket.resume();
    await vi.waitUntil(() => reads.length > whilePaused, 30_000);

    expect(whilePaused).toBeLessThan(1_000);
  });

  it('is one answer for bad commands that stand one after the other, and the connection for too many', async () => {
    const { url, endpoint } = await served({ requestsMax: 10 });
    const [few, many] = [new RawClient(url), new RawClient(url)];
    await Promise.all([few.hello(), many.hello()]);
    const payload = encodePayload(Array(8).fill(Uint8Array.of(33)));
    const bad = (firstId: number) =>
      ({ type: 'write', firstId, timeoutMs: 2_000, count: 8, payload }) as const;

    few.send({ type: 'frames', frames: [bad(1)] });
    many.send({ type: 'frames', frames: [bad(1), bad(9)] });
    await few.answered(8);

    expect(few.frames).toMatchObject([{ type: 'refused', firstId: 1, count: 8, code: 'RAFT_BAD_COMMAND' }]);
    await expect(many.closed).resolves.toMatchObject({
      code: 1002,
      reason: expect.stringContaining('refused'),
    });
    expect(endpoint.requests).toBe(0);
  });

  it('ends the frame in which bad commands become too many: nothing behind them is carried out', async () => {
    const { url, endpoint, writes } = await served({ requestsMax: 10 });
    const client = new RawClient(url);
    await client.hello();
    const frame = (firstId: number, letters: string) => {
      const payload = encodePayload([...letters].map((letter) => Uint8Array.of(letter.charCodeAt(0))));
      return { type: 'write', firstId, timeoutMs: 2_000, count: letters.length, payload } as const;
    };

    client.send({ type: 'frames', frames: [frame(1, '!!!!!!!!'), frame(9, '!!!abcd')] });

    await expect(client.closed).resolves.toMatchObject({ code: 1002 });
    expect(writes).toEqual([]);
    expect(endpoint.requests).toBe(0);
  });

  it('is limited where one turn brings more refusals than anybody may leave unread', async () => {
    const { url, endpoint } = await served({ bufferedBytesCut: 10_000 });
    const client = new RawClient(url);
    await client.hello();

    client.write(1, ...Array.from({ length: 200 }, (_, at) => `no command ${at}`));

    await expect(client.closed).resolves.toMatchObject({ code: 1006 });
    await vi.waitUntil(() => endpoint.connections === 0, 30_000);
    expect(endpoint.requests).toBe(0);
  });

  it('is few large results at a time, whatever one turn has committed, and a client that reads gets them all', async () => {
    const limits = { bufferedBytesMax: 10_000, bufferedBytesCut: 50_000 };
    const { url, endpoint } = await served({ node: committing(4_000), ...limits });
    const client = new RawClient(url);
    await client.hello();

    client.write(1, ...Array(200).fill('a'));
    await Promise.race([client.answered(200), client.closed]);

    const told = client.frames.flatMap((frame) =>
      frame.type === 'written'
        ? decodePayload(frame.payload).map((result, at) => ({
            id: frame.firstId + at,
            index: frame.index + at,
            result: Number.parseInt(new TextDecoder().decode(result), 10),
          }))
        : [],
    );
    expect(told.sort((a, b) => a.id - b.id)).toEqual(
      Array.from({ length: 200 }, (_, at) => ({ id: 1 + at, index: 101 + at, result: at })),
    );
    expect(endpoint.requests).toBe(0);
  });

  it('is one result at a time where each is more than may wait, and than the network takes at once', async () => {
    const limits = { bufferedBytesMax: 10_000, bufferedBytesCut: 50_000 };
    const { url } = await served({ node: committing(8_000_000), ...limits });
    const client = new RawClient(url);
    await client.hello();

    client.socket.pause();
    client.write(1, 'a', 'a', 'a');
    await pause(100);
    client.socket.resume();
    await Promise.race([client.answered(3), client.closed]);

    expect(client.frames.map((frame) => frame.type === 'written' && frame.count)).toEqual([1, 1, 1]);
  });

  it('is few of the results that a client does not read, until it is cut off', async () => {
    const encode = vi.fn((value: string) => new TextEncoder().encode(value));
    const result = { encode, decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes) };
    const { url, endpoint } = await served({ node: committing(5_000_000), result, pingMs: 20 });
    const client = new RawClient(url);
    await client.hello();

    client.socket.pause();
    client.write(1, ...Array(100).fill('a'));
    await vi.waitUntil(() => endpoint.connections === 0, { timeout: 30_000 });

    expect(endpoint.requests).toBe(0);
    expect(encode.mock.calls.length).toBeGreaterThan(0);
    expect(encode.mock.calls.length).toBeLessThan(16);
  });

  it('is few large answers at a time, in memory and in queries, from the first frame on, and none is lost', async () => {
    const { node, asked, release } = heldReads(20_000);
    const { url, endpoint } = await served({ node, bufferedBytesMax: 10_000, bufferedBytesCut: 50_000 });
    const client = new RawClient(url);
    await client.hello();

    client.read(1, ...Array(200).fill('q'));
    await vi.waitUntil(() => asked() > 0, 30_000);
    const atOnce = asked();
    release();
    await client.answered(200);

    expect(atOnce).toBe(16);
    expect(client.frames.filter(({ type }) => type === 'refused')).toEqual([]);
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    expect(endpoint.requests).toBe(0);
  });

  it('is not what holds small reads up: once some were answered, those of a frame are asked together', async () => {
    const { node, asked, hold, release } = heldReads(1);
    const { url } = await served({ node });
    const [first, next] = [new RawClient(url), new RawClient(url)];
    await Promise.all([first.hello(), next.hello()]);
    release();
    first.read(1, ...Array(256).fill('q'));
    await first.answered(256);

    hold();
    next.read(1, ...Array(256).fill('q'));
    await vi.waitUntil(() => asked() > 256, 30_000);

    expect(asked()).toBe(512);
  });

  it('is no answer for a client that has gone, and nothing is encoded for it', async () => {
    const encode = vi.fn((value: string) => new TextEncoder().encode(value));
    const { url, endpoint } = await served({
      bufferedBytesMax: 10_000,
      answer: { encode, decode: (bytes) => new TextDecoder().decode(bytes) },
    });
    const client = new RawClient(url);
    await client.hello();
    client.socket.pause();
    client.read(1, ...Array(100).fill('5000000'));
    await vi.waitUntil(() => encode.mock.calls.length > 0, 30_000);
    await pause(50);
    const before = encode.mock.calls.length;

    client.socket.terminate();
    await vi.waitUntil(() => endpoint.requests === 0, 30_000);

    expect(before).toBeLessThan(16);
    expect(encode.mock.calls.length).toBe(before);
  });

  it('is nothing for web pages, unless they are let in', async () => {
    const origin = 'http://evil.example';
    const { url } = await served();
    const { url: open } = await served({ admit: () => null });

    await expect(new RawClient(url, { origin }).refused).resolves.toMatchObject({
      status: 403,
      text: expect.stringContaining(origin),
    });
    await expect(new RawClient(open, { origin }).hello()).resolves.toBe(undefined);
  });

  it('is nothing at other paths', async () => {
    const { url } = await served();

    await expect(new RawClient(`${url}s`).refused).resolves.toMatchObject({ status: 404 });
    await expect(new RawClient(`${url}?a=1`).hello()).resolves.toBe(undefined);
  });
});
