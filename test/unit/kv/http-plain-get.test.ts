import { RaftError } from 'rxraft';
import { describe, expect, it, vi } from 'vitest';
import type { KvNode } from '../../../examples/kv/kv-machine.ts';
import { listening, settled } from './http-listening.ts';

type Listening = Awaited<ReturnType<typeof listening>>;

const head = 'HTTP/1.1\r\nHost: localhost\r\n';
const get = (target: string, more = ''): string => `GET /kv/${target} ${head}${more}\r\n`;
const put = (key: string, value: string): string =>
  `PUT /kv/${key} ${head}Content-Length: ${value.length}\r\n\r\n${value}`;

/** The same request, in a form that is left to Node: the tab is what is not plain. */
const forNode = (request: string): string => request.replace('HTTP/1.1\r\n', 'HTTP/1.1\r\nX:\tx\r\n');

/** The answers in what was received, as bytes in latin1: heads in lower case and in order, but for the date. */
function answersIn(received: string, isHead = false): readonly { head: readonly string[]; body: string }[] {
  const answers: { head: readonly string[]; body: string }[] = [];
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const lines = received.slice(at, end).toLowerCase().split('\r\n');
    const length = Number(lines.find((line) => line.startsWith('content-length:'))?.slice(15) ?? 0);
    at = end + 4 + (isHead ? 0 : length);
    if (at > received.length) break;
    const body = received.slice(end + 4, at);
    answers.push({ head: lines.map((line) => line.replace(/^date:.*/, 'date')).sort(), body });
  }
  return answers;
}

/** What comes back for some requests that are sent at once. */
async function answersTo({ dial }: Listening, requests: string, count = 1) {
  const connection = dial('latin1');
  const isHead = requests.startsWith('HEAD');
  connection.send(requests);
  await connection.until((text) => answersIn(text, isHead).length === count);
  return answersIn(connection.received(), isHead);
}

/** A server with a few keys, put through connections that have ended. */
async function withKeys(options: Parameters<typeof listening>[0] = {}): Promise<Listening> {
  const server = await listening(options);
  const binary = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  for (const [key, value] of [['a', 'value'] as const, ['empty', ''] as const, ['b%20%FF', binary] as const])
    await answersTo(server, put(key, value));
  return server;
}

/** The answer to a request at the connection, and that of the application, as Node hands it the request. */
async function bothAnswers(server: Listening, request: string) {
  const before = server.readByNode();
  const [plain] = await answersTo(server, request);
  const between = server.readByNode();
  const [byNode] = await answersTo(server, forNode(request));
  expect(server.readByNode()).toBe(between + 1);
  return { plain, byNode, isPlain: between === before };
}

const status = (answer: { head: readonly string[] } | undefined): number =>
  Number(/^http\/1\.1 (\d+)/.exec(answer?.head.find((line) => line.startsWith('http/')) ?? '')?.[1]);

describe('a plain get', () => {
  it.each([
    ['a key that is there', get('a'), 200],
    ['a key that is not', get('nothing'), 404],
    ['a stale key that is not', get('nothing?consistency=stale'), 404],
    ['an empty value', get('empty'), 200],
    ['an encoded key, and a value of all bytes', get('b%20%ff'), 200],
    ['a linearizable read', get('a?consistency=linearizable'), 200],
    ['a stale read', get('a?consistency=stale'), 200],
    ['a session', get('a?consistency=session&index=3&timeoutMs=9'), 200],
    ['a session without an index', get('a?consistency=session'), 400],
    ['an index without a session', get('a?index=3'), 400],
    ['an index that is none', get('a?consistency=session&index=x'), 400],
    ['another consistency', get('a?consistency=best'), 400],
    ['an encoded parameter', get('a?consistency=%73tale&consistency=x'), 200],
    ['no time', get('a?timeoutMs=0'), 400],
    ['a parameter that nobody knows', get('a?x=y&&=&z'), 200],
    ['an empty query', get('a?'), 200],
    ['a key that is none', get('%zz'), 400],
    ['a key that is too long', get('a'.repeat(1_025)), 413],
    ['a key of dots', get('../status'), 404],
    [
      'conditions and a range',
      get('a', 'If-None-Match: *\r\nIf-Modified-Since: x\r\nRange: bytes=0-1\r\n'),
      200,
    ],
    ['what a browser says', get('a', 'Accept: */*\r\nOrigin: null\r\nAccept-Encoding: gzip\r\n'), 200],
    ['a host that may not write', get('a').replace('localhost', 'evil.example:81'), 200],
    ['a connection that is kept', get('a', 'Connection: keep-alive\r\n'), 200],
  ])('is answered as by the application: %s', async (_, request, expected) => {
    const server = await withKeys();

    const { plain, byNode, isPlain } = await bothAnswers(server, request);

    expect(plain).toEqual(byNode);
    expect(status(plain)).toBe(expected);
    expect(isPlain).toBe(true);
    const [ours, applications] = server.asked.slice(3);
    expect(ours).toEqual(applications);
  });

  it.each([0, 17, null])('tells how old a stale answer is: %s ms', async (ageMs) => {
    const server = await withKeys();
    server.setAge(ageMs);

    const { plain, byNode } = await bothAnswers(server, get('a?consistency=stale'));

    expect(plain).toEqual(byNode);
    expect(plain?.head.filter((line) => line.startsWith('rxraft-age-ms'))).toEqual(
      ageMs === null ? [] : [`rxraft-age-ms: ${ageMs}`],
    );
  });

  it.each([
    ['RAFT_NO_LEADER', 'notCommitted', 503],
    ['RAFT_NOT_LEADER', 'notCommitted', 503],
    ['RAFT_TIMEOUT', undefined, 503],
    ['RAFT_CLOSED', 'notCommitted', 503],
    ['RAFT_STORE_DAMAGED', undefined, 503],
    ['RAFT_OVERLOADED', 'notCommitted', 429],
    ['RAFT_BAD_RESULT', undefined, 500],
    ['SOMETHING_ELSE', undefined, 500],
  ] as const)('fails as the application says: %s', async (code, outcome, expected) => {
    const server = await withKeys();
    const options = outcome === undefined ? {} : { outcome };
    server.failWith(Object.assign(new RaftError(code, 'so it is: é', options), { leaderId: 'n2' }));

    const { plain, byNode, isPlain } = await bothAnswers(server, get('a'));

    expect(plain).toEqual(byNode);
    expect(status(plain)).toBe(expected);
    expect(isPlain).toBe(true);
    const logged = { method: 'GET', path: '/kv/a' };
    expect(server.logged).toMatchObject(expected === 500 ? [logged, logged] : []);
  });

  it('is refused as by the application while the node opens its store', async () => {
    const server = await listening({ services: { node: () => null } });

    const { plain, byNode } = await bothAnswers(server, get('a?timeoutMs=0'));

    expect(plain).toEqual(byNode);
    expect(plain?.body).toContain('KV_STARTING');
  });

  it('leaves its connection as it is, and so does a put, whatever comes of them', async () => {
    const { dial, readByNode, heldByNode, failWith } = await withKeys();
    const connection = dial('latin1');
    const requests = [
      get('a'),
      put('a', 'x'),
      get('a'),
      get('%zz'),
      put('%zz', 'x'),
      get('nothing'),
      get('a'),
    ];

    for (const [at, request] of requests.entries()) {
      connection.send(request);
      await connection.until((text) => answersIn(text).length === at + 1);
    }
    failWith(new RaftError('RAFT_NO_LEADER', 'nobody leads', { outcome: 'notCommitted' }));
    connection.send(get('a'));
    await connection.until((text) => answersIn(text).length === requests.length + 1);
    const heldBefore = heldByNode();
    connection.send(get('a', 'X:\tx\r\n'));
    await connection.until((text) => answersIn(text).length === requests.length + 2);

    const answers = answersIn(connection.received());
    expect(answers.map(status)).toEqual([200, 200, 200, 400, 400, 404, 200, 503, 503]);
    expect([answers[0]?.body, answers[2]?.body]).toEqual(['value', 'x']);
    expect([heldBefore, heldByNode(), readByNode()]).toEqual([0, 1, 1]);
  });

  it('is answered in its turn, as Node would, with puts before and after it', async () => {
    const requests = [put('a', 'x'), get('a'), put('a', 'y'), get('a'), get('nothing')];
    const [first = '', ...others] = requests;
    const [ours, nodes] = [await withKeys(), await withKeys()];

    const answers = await answersTo(ours, requests.join(''), 5);

    expect(answers).toEqual(await answersTo(nodes, [forNode(first), ...others].join(''), 5));
    expect(answers.map(status)).toEqual([200, 200, 200, 200, 404]);
  });
});

describe('what is no plain get', () => {
  it.each([
    ['only the head', get('a').replace('GET', 'HEAD'), 200],
    ['only the head of a key that is not there', get('nothing').replace('GET', 'HEAD'), 404],
    ['a length', get('a', 'Content-Length: 0\r\n'), 200],
    ['a body', `${get('a', 'Content-Length: 1\r\n')}x`, 200],
    ['a body in chunks', `${get('a', 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n`, 200],
    ['a connection that is not kept', get('a', 'Connection: close\r\n'), 200],
    ['another host', get('a', 'Host: localhost\r\n'), 200],
    ['no host', get('a').replace('Host: localhost\r\n', ''), 400],
    ['an empty host', get('a').replace('localhost', ''), 400],
    ['a host that is none', get('a').replace('localhost', 'localhost:65536'), 400],
    ['no key', get(''), 400],
    ['HTTP/1.0', get('a').replace('HTTP/1.1', 'HTTP/1.0'), 200],
  ])('is read by Node: %s', async (_, request, expected) => {
    const server = await withKeys();

    const [answer] = await answersTo(server, request);

    expect(status(answer)).toBe(expected);
    expect(server.readByNode()).toBe(1);
  });

  it('may be all that comes while one is under way', async () => {
    const answers: (() => void)[] = [];
    const value = { type: 'get', value: Buffer.from('x') };
    const read = () => new Promise((resolve) => answers.push(() => resolve({ value, index: 1, ageMs: 0 })));
    const { dial, url, readByNode } = await listening({
      services: { node: () => ({ read }) as unknown as KvNode },
    });
    const connection = dial('latin1');

    connection.send(get('a'));
    await vi.waitUntil(() => answers.length === 1);
    connection.send(`${get('b')}${get('c')}`);
    await settled(url);
    const asked = answers.length;
    const before = readByNode();
    answers[0]?.();
    await vi.waitUntil(() => answers.length === 3);
    answers[2]?.();
    answers[1]?.();
    await connection.until((text) => answersIn(text).length === 3);

    expect(asked).toBe(1);
    expect(readByNode()).toBe(before + 2);
  });
});

describe('a value that does not go out at once', () => {
  const value = Buffer.alloc(16 * 1024 * 1024, 'value');

  /** A connection that asked for a value of which it has read nothing yet. */
  async function unread(): Promise<Listening & { connection: ReturnType<Listening['dial']> }> {
    const read = async () => ({ value: { type: 'get', value }, index: 1, ageMs: 0 });
    const server = await listening({ services: { node: () => ({ read }) as unknown as KvNode } });
    server.server.keepAliveTimeout = 100;
    const connection = server.dial('latin1');
    connection.socket.pause();
    connection.send(get('a'));
    await settled(server.url);
    return { ...server, connection };
  }

  it('arrives, however late its client reads', async () => {
    const { connection, heldByNode } = await unread();

    await new Promise((resolve) => setTimeout(resolve, 300));
    connection.socket.resume();
    await connection.until((text) => answersIn(text).length === 1);

    expect(answersIn(connection.received())[0]?.body === value.toString('latin1')).toBe(true);
    expect(heldByNode()).toBe(0);
    await connection.closed; // It is idle now.
  });

  it('makes its connection that of Node, which answers what its client asks next when it is out', async () => {
    const { connection, url, heldByNode } = await unread();

    connection.send(get('a'));
    await settled(url);
    const held = heldByNode();
    connection.socket.resume();
    await connection.until((text) => answersIn(text).length === 2);

    expect(answersIn(connection.received()).map(status)).toEqual([200, 200]);
    expect(held).toBe(2); // With that of `settled`.
  });

  it('arrives although the server closes', async () => {
    const { connection, close } = await unread();

    const closed = close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    connection.socket.resume();
    await Promise.all([closed, connection.closed]);

    expect(answersIn(connection.received())[0]?.body.length).toBe(value.length);
  });
});
