import type { Socket } from 'node:net';
import { RaftError } from 'rxraft';
import { describe, expect, it, vi } from 'vitest';
import type { KvNode } from '../../../examples/kv/kv-machine.ts';
import { bytes } from './builders.ts';
import { listening, settled } from './http-listening.ts';

const head = 'HTTP/1.1\r\nHost: localhost\r\n';
const put = (key: string, value: string, more = ''): string =>
  `PUT /kv/${key} ${head}${more}Content-Length: ${value.length}\r\n\r\n${value}`;
const get = `GET /kv/a ${head}\r\n`;

/** A node that answers when it is told to. */
function slowNode() {
  const answers: (() => void)[] = [];
  const at = { index: 1, term: 1 };
  const result = { type: 'applied', result: { ...at, result: { type: 'put' } } };
  const write = () => new Promise((resolve) => answers.push(() => resolve({ ...at, result })));
  return { node: { write } as unknown as KvNode, answers };
}

/** The lines of an answer's head, but for what differs each time, in order. */
const headOf = (answer: string): readonly string[] =>
  answer
    .slice(0, answer.indexOf('\r\n\r\n'))
    .split('\r\n')
    .map((line) => line.toLowerCase().replace(/^date:.*/, 'date'))
    .sort();

describe('a plain put', () => {
  it('is answered as by the application, and Node reads none of it', async () => {
    const { dial, asked, readByNode } = await listening();
    const [connection, other] = [dial(), dial()];

    connection.send(put('a%20b?timeoutMs=250', 'hi', 'Accept: */*\r\nconnection: Keep-Alive\r\n'));
    await connection.until((text) => text.endsWith('}'));
    const before = readByNode();
    other.send(put('a', 'hi', 'Connection: keep-alive, x\r\n'));
    await other.until((text) => text.endsWith('}'));

    expect([before, readByNode()]).toEqual([0, 1]);
    expect(asked[0]).toEqual({
      command: { type: 'plain', command: { type: 'put', key: bytes('a b'), value: Buffer.from('hi') } },
      options: { timeoutMs: 250 },
    });
    expect(connection.json()).toEqual({ index: 1, term: 1 });
    expect(headOf(connection.received())).toEqual(headOf(other.received()));
  });

  it('may come in two parts, and after others', async () => {
    const { dial, readByNode } = await listening();
    const connection = dial();

    for (const count of [1, 2, 3]) {
      const whole = put('a', 'value');
      connection.send(whole.slice(0, -5));
      await new Promise((resolve) => setTimeout(resolve, 10));
      connection.send(whole.slice(-5));
      await connection.until((text) => text.endsWith(`{"index":${count},"term":1}`));
    }

    expect(readByNode()).toBe(0);
  });

  it('of a session is carried out once', async () => {
    const { url, dial, readByNode } = await listening();
    const { session } = (await (await fetch(`${url}/session`, { method: 'POST' })).json()) as {
      session: number;
    };
    const connection = dial();
    const before = readByNode();

    for (const count of [1, 2]) {
      connection.send(put('a', 'x', `Idempotency-Key: ${session}-1\r\n`));
      await connection.until((text) => text.split('"index":2').length === count + 1);
    }

    expect(readByNode()).toBe(before);
  });

  it.each([
    ['a key that is none', put('%zz', 'x'), 400, 'KV_MALFORMED'],
    ['a key that is too long', put('a'.repeat(1_025), 'x'), 413, 'KV_TOO_LARGE'],
    ['a query that makes no sense', put('a?timeoutMs=0', 'x'), 400, 'KV_MALFORMED'],
    ['an idempotency that makes no sense', put('a', 'x', 'Idempotency-Key: 1\r\n'), 400, 'KV_MALFORMED'],
  ])('is refused for %s, and its connection goes on', async (_, request, status, code) => {
    const { dial, readByNode } = await listening();
    const connection = dial();

    connection.send(request);
    await connection.until((text) => text.endsWith('}'));
    const { error } = connection.json();
    connection.send(put('a', 'x'));
    await connection.until((text) => text.endsWith('"term":1}'));

    expect(connection.statuses()).toEqual([status, 200]);
    expect(error).toMatchObject({ code, outcome: 'notCommitted' });
    expect(readByNode()).toBe(0);
  });

  it('fails as the node says, and as nobody foresaw', async () => {
    const { dial, failWith, logged } = await listening();
    const connection = dial();

    failWith(new RaftError('RAFT_NO_LEADER', 'nobody leads: é', { outcome: 'notCommitted' }));
    connection.send(put('a', 'x'));
    await connection.until((text) => text.endsWith('}'));
    const { error } = connection.json();
    failWith(new TypeError('secret'));
    connection.send(put('a', 'x'));
    await connection.until((text) => text.includes('KV_INTERNAL'));

    expect(connection.statuses()).toEqual([503, 500]);
    expect(connection.received()).toMatch(/retry-after: 1\r\n/i);
    expect(error).toMatchObject({ code: 'RAFT_NO_LEADER', message: 'nobody leads: é' });
    expect(connection.received()).not.toContain('secret');
    expect(logged).toMatchObject([{ method: 'PUT', path: '/kv/a' }]);
  });

  it('whose value does not come to its end is refused', async () => {
    const { dial, asked } = await listening();
    const connection = dial();

    connection.send(put('a', 'value').slice(0, -1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    connection.socket.end();
    await connection.closed;

    expect(connection.statuses()).toEqual([400]);
    expect(asked).toEqual([]);
  });
});

describe('what is no plain put', () => {
  it.each([
    ['another method', 'DELETE /kv/a HTTP/1.1\r\nHost: localhost\r\n\r\n', 200],
    ['a value in chunks', `PUT /kv/a ${head}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`, 200],
    ['two lengths', `PUT /kv/a ${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx`, 400],
    ['a length and chunks', put('a', 'x', 'Transfer-Encoding: chunked\r\n'), 400],
    ['two hosts', put('a', 'x', 'Host: evil.example\r\n'), 403],
    ['a host that may not write', put('a', 'x').replace('localhost', 'evil.example'), 403],
    ['a host with a port beyond all', put('a', 'x').replace('localhost', 'localhost:65536'), 400],
    ['a host that is written otherwise', put('a', 'x').replace('localhost', '[0:0:0:0:0:0:0:1]'), 400],
    ['no host', put('a', 'x').replace('Host: localhost\r\n', ''), 400],
    ['a header over two lines', put('a', 'x', 'X: y\r\n z\r\n'), 400],
    ['a line that ends by itself', put('a', 'x', 'X: y\nZ: z\r\n'), 400],
    ['a backslash', put('a\\b', 'x'), 400],
    ['HTTP/1.0', put('a', 'x').replace('HTTP/1.1', 'HTTP/1.0'), 200],
  ])('is read by Node: %s', async (_, request, status) => {
    const { dial } = await listening();
    const connection = dial();

    connection.send(put('a', 'x'));
    await connection.until((text) => text.endsWith('}'));
    connection.send(request);
    await connection.until((text) => text.split('HTTP/1.1 ').length === 3 && text.endsWith('}'));

    expect(connection.statuses()).toEqual([200, status]);
  });

  it('is answered in its turn, whether it comes with a plain put or while one is under way', async () => {
    const { node, answers } = slowNode();
    const { dial, readByNode } = await listening({ services: { node: () => node } });
    const [together, after] = [dial(), dial()];

    together.send(`${put('a', 'x')}${get.replace('/kv/a', '/b')}`);
    after.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 2);
    after.send(get.replace('/kv/a', '/b'));
    after.send(get.replace('/kv/a', '/c'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const early = after.received();
    for (const answer of answers) answer();
    await together.until((text) => text.includes('KV_NO_SUCH_ROUTE'));
    await after.until((text) => text.includes('at /c'));

    expect(early).toBe('');
    expect([together.statuses(), after.statuses()]).toEqual([
      [200, 404],
      [200, 404, 404],
    ]);
    expect(readByNode()).toBe(4);
  });

  it('may be a value that comes little by little', async () => {
    const { dial, readByNode } = await listening();
    const connection = dial();

    for (const part of put('a', 'value')) {
      connection.send(part);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await connection.until((text) => text.endsWith('}'));

    expect(connection.statuses()).toEqual([200]);
    expect(readByNode()).toBe(1);
  });
});

describe('a connection with nothing but plain puts', () => {
  it('ends when nothing comes for as long as the answer says', async () => {
    const { dial, server } = await listening();
    server.keepAliveTimeout = 100;
    const [used, unused] = [dial(), dial()];

    used.send(put('a', 'x'));
    await used.closed;

    expect(used.statuses()).toEqual([200]);
    expect(unused.socket.closed).toBe(false); // Node waits longer for a first request.
  });

  it('does not end when a request has come, and only this process was held up', async () => {
    const { dial, server } = await listening();
    server.keepAliveTimeout = 100;
    const connection = dial();
    connection.send(put('a', 'x'));
    await connection.until((text) => text.endsWith('}'));

    connection.send(put('a', 'x'));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    await connection.until((text) => text.endsWith('{"index":2,"term":1}'));

    expect(connection.statuses()).toEqual([200, 200]);
  });

  it('is not taken to be silent while it waits for an answer, however long that takes', async () => {
    const { node, answers } = slowNode();
    const { dial, server } = await listening({ services: { node: () => node } });
    server.keepAliveTimeout = 300;
    const connection = dial();
    connection.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 1);

    setTimeout(() => answers[0]?.(), 310); // In one turn of the event loop with the end of its patience.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    await connection.until((text) => text.endsWith('}'));
    connection.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 2);
    answers[1]?.();
    await connection.until((text) => text.split('"term":1}').length === 3);

    expect(connection.statuses()).toEqual([200, 200]);
  });

  it('ends with the server: at once if it is idle, and else with its answer', async () => {
    const { node, answers } = slowNode();
    const { dial, close } = await listening({ services: { node: () => node } });
    const [idle, busy] = [dial(), dial()];
    idle.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 1);
    answers[0]?.();
    await idle.until((text) => text.endsWith('}'));
    busy.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 2);

    const closed = close();
    await idle.closed;
    answers[1]?.();
    await Promise.all([closed, busy.closed]);

    expect(busy.statuses()).toEqual([200]);
    expect(busy.received()).toContain('Connection: close');
  });

  it('hears that the server closes from an answer, too', async () => {
    const { dial, close } = await listening();
    const connection = dial();
    connection.send(put('a', 'x'));
    await connection.until((text) => text.endsWith('}'));

    const closed = close();
    connection.send(put('a', 'x'));
    await connection.closed;
    await closed;

    expect(connection.statuses()).toEqual([200, 503]);
    expect(connection.received()).toMatch(/connection: close/i);
  });

  it('may be cut while it waits for an answer', async () => {
    const { node, answers } = slowNode();
    const { url, dial } = await listening({ services: { node: () => node } });
    const connection = dial();
    connection.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 1);

    connection.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    answers[0]?.();

    expect((await fetch(`${url}/b`)).status).toBe(404);
  });

  it('is not handed to Node once it has been cut, which would wait for its end for ever', async () => {
    const { node, answers } = slowNode();
    const { dial, server, url } = await listening({ services: { node: () => node } });
    const sockets: Socket[] = [];
    server.on('connection', (socket) => void sockets.push(socket));
    const connection = dial();
    connection.send(put('a', 'x'));
    await vi.waitUntil(() => answers.length === 1);
    connection.send(put('a', 'x'));
    await settled(url);

    connection.socket.resetAndDestroy();
    await vi.waitUntil(() => sockets[0]?.closed);
    answers[0]?.();
    await settled(url);

    expect((sockets[0] as Socket & { parser?: unknown }).parser ?? null).toBeNull();
  });
});
