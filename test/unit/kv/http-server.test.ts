import { describe, expect, it } from 'vitest';
import { listening, settled } from './http-listening.ts';

const put = 'PUT /kv/a HTTP/1.1\r\nHost: localhost\r\n';
const get = 'GET /kv/a HTTP/1.1\r\nHost: localhost\r\n\r\n';
const tooLong = 'x'.repeat(1_500);

describe('a value that is too long', () => {
  it.each([
    ['says so', `Content-Length: 3000\r\n\r\n${tooLong}`, tooLong],
    [
      'comes in chunks',
      `Transfer-Encoding: chunked\r\n\r\n5dc\r\n${tooLong}\r\n`,
      `5dc\r\n${tooLong}\r\n0\r\n\r\n`,
    ],
  ])('is a 413 once it has come, and its connection goes on, when it %s', async (_, begin, end) => {
    const { url, dial, asked } = await listening();
    const connection = dial();

    connection.send(`${put}${begin}`);
    await settled(url);
    const before = connection.received();
    connection.send(end);
    await connection.until((text) => text.endsWith('}'));
    connection.send(get);
    await connection.until((text) => text.includes('KV_NOT_FOUND'));

    expect(before).toBe('');
    expect(connection.statuses()).toEqual([413, 404]);
    expect(connection.received()).toContain('KV_TOO_LARGE');
    expect(asked.filter(({ command }) => command !== undefined)).toEqual([]);
  });

  it('is a 413 at once where nobody would wait for its end', async () => {
    const { dial } = await listening();
    const connection = dial();

    connection.send(`${put}Content-Length: ${2 ** 40}\r\n\r\n${tooLong}`);
    await connection.until((text) => text.endsWith('}'));

    expect(connection.statuses()).toEqual([413]);
  });
});

describe('a client that waits for leave to send a value', () => {
  const waiting = `${put}Expect: 100-continue\r\n`;

  it('is told to go on, and its connection goes on too', async () => {
    const { dial } = await listening();
    const connection = dial();

    connection.send(`${waiting}Content-Length: 2\r\n\r\n`);
    await connection.until((text) => text.endsWith('100 Continue\r\n\r\n'));
    connection.send('hi');
    await connection.until((text) => text.endsWith('}'));
    connection.send(get);
    await connection.until((text) => text.endsWith('hi'));

    expect(connection.statuses()).toEqual([100, 200, 200]);
  });

  it.each([
    ['is too long', `${waiting}Content-Length: 1025\r\n\r\n`, 413],
    ['may not write', `${waiting.replace('localhost', 'evil.example')}Content-Length: 2\r\n\r\n`, 403],
  ])('is refused without it, and its connection ends, when it %s', async (_, head, status) => {
    const { dial } = await listening();
    const connection = dial();

    connection.send(head);
    await connection.closed;

    expect(connection.statuses()).toEqual([status]);
    expect(connection.received()).toContain('Connection: close');
  });
});

describe('what is no request', () => {
  const chunked = 'Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n';
  it.each([
    ['no HTTP', 'FOO\r\n\r\n', 400, 'notCommitted'],
    ['headers that are too long', `${put}X: ${'y'.repeat(20_000)}\r\n\r\n`, 431, 'notCommitted'],
    ['no host', 'GET /kv/a HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'notCommitted'],
    ['what nobody can expect', `${put}Expect: bogus\r\nContent-Length: 2\r\n\r\n`, 417, 'notCommitted'],
    ['a body that is none', `${put}${chunked}`, 400, 'unknown'],
  ])('gets its answer in JSON: %s', async (_, text, status, outcome) => {
    const { dial } = await listening();
    const connection = dial();

    connection.send(text);
    await connection.closed;

    expect(connection.statuses()).toEqual([status]);
    expect(connection.json()).toMatchObject({ error: { code: 'KV_MALFORMED', outcome } });
    expect(connection.received()).toContain('Connection: close');
  });

  it('changed nothing where its body was being read', async () => {
    const { url, dial } = await listening();
    const connection = dial();

    connection.send(`${put}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`);
    await settled(url);
    connection.send('ZZ\r\n');
    await connection.closed;

    expect(connection.statuses()).toEqual([400]);
    expect(connection.json()).toMatchObject({ error: { code: 'KV_MALFORMED', outcome: 'notCommitted' } });
  });

  it('gets no answer that could be taken for that of a request before it', async () => {
    const { dial } = await listening();
    const connection = dial();

    connection.send(`${put}Content-Length: 2\r\n\r\nhiFOO\r\n\r\n`);
    await connection.closed;

    expect(connection.received()).not.toContain('KV_MALFORMED');
  });
});
