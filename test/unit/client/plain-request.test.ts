import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RawClient, served } from './endpoints.ts';

/** A TCP connection to the server of an endpoint, and all that has come over it. */
function connectionTo(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('utf8');
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.on('data', (part: string) => {
    received += part;
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const bodies = () => received.split('\r\n\r\n').slice(1);
  return {
    closed,
    send: (text: string) => void socket.write(text, 'latin1'),
    received: () => received,
    /** What the server says has come of each request. */
    told: () => bodies().map((body) => JSON.parse(/^\{.*\}/s.exec(body)?.[0] ?? 'null')),
    answered: (count: number) =>
      vi.waitUntil(() => bodies().length === count && received.endsWith('}'), { timeout: 10_000 }),
  };
}

const h2c = 'Host: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';

describe('a request that would rather have another protocol', () => {
  it('is served over HTTP/1.1, without what asks for it', async () => {
    const { url } = await served();
    const connection = connectionTo(url);

    connection.send(`GET /kv/%FC?a=1 HTTP/1.1\r\n${h2c}X-Name: \xe9, b\r\n\r\n`);
    await connection.answered(1);

    expect(connection.received()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(connection.told()).toEqual([
      { method: 'GET', url: '/kv/%FC?a=1', headers: { host: 'h', 'x-name': '\xe9, b' }, body: '' },
    ]);
  });

  it.each([
    ['of a known length', 'Content-Length: 5\r\n\r\nhello'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'],
  ])('is served with its body, %s, when it comes at once and when it comes later', async (_, rest) => {
    const { url } = await served();
    const [whole, halved] = [connectionTo(url), connectionTo(url)];

    whole.send(`PUT /a HTTP/1.1\r\n${h2c}${rest}`);
    const at = rest.indexOf('\r\n\r\n') + 5;
    halved.send(`PUT /a HTTP/1.1\r\n${h2c}${rest.slice(0, at)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    halved.send(rest.slice(at));
    await Promise.all([whole.answered(1), halved.answered(1)]);

    for (const { told } of [whole, halved]) expect(told()).toMatchObject([{ method: 'PUT', body: 'hello' }]);
  });

  it('is served, and so are those after it, on one connection', async () => {
    const { url } = await served();
    const connection = connectionTo(url);
    const warning = vi.fn();
    process.on('warning', warning);
    onTestFinished(() => void process.off('warning', warning));

    for (let count = 1; count <= 20; count++) {
      connection.send(`GET /${count} HTTP/1.1\r\n${count % 5 === 0 ? 'Host: h\r\n' : h2c}\r\n`);
      await connection.answered(count);
    }

    expect(connection.told()[19]).toMatchObject({ url: '/20' });
    expect(warning).not.toHaveBeenCalled(); // Such as of too many listeners on one socket.
  });

  it('ends its connection where it asks for that', async () => {
    const { url } = await served();
    const connection = connectionTo(url);

    connection.send('GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: close, Upgrade\r\n\r\n');
    await connection.closed;

    expect(connection.told()).toMatchObject([{ url: '/a', headers: { connection: 'close' } }]);
  });

  it('is served at the path of the WebSockets too', async () => {
    const { url } = await served();
    const connection = connectionTo(url);

    connection.send(`GET /client HTTP/1.1\r\n${h2c}\r\n`);
    await connection.answered(1);

    expect(connection.told()).toMatchObject([{ url: '/client' }]);
  });

  it('is refused with more headers than are kept: its length could be among the others', async () => {
    const { url } = await served();
    const connection = connectionTo(url);

    const many = 'a:\r\n'.repeat(1_100);
    connection.send(
      `PUT /a HTTP/1.1\r\n${h2c}${many}Content-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n`,
    );
    await connection.closed;

    expect(connection.received()).toMatch(/^HTTP\/1\.1 431 [^{]*more headers/);
  });

  it('is left to whoever else listens for upgrades', async () => {
    const { url, server } = await served();
    server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Switching\r\n\r\n'));
    const connection = connectionTo(url);

    connection.send('GET /other HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
    await connection.closed;

    expect(connection.received()).toBe('HTTP/1.1 101 Switching\r\n\r\n');
  });
});

describe('a WebSocket at another path', () => {
  it('is refused', async () => {
    const { url } = await served();

    await expect(new RawClient(url.replace('/client', '/kv/a')).refused).resolves.toEqual({
      status: 404,
      text: 'clients connect to /client\n',
    });
  });
});
