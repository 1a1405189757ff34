import { RaftError } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { fakeServer } from './builders.ts';

describe('a route that is not there', () => {
  it.each(['/', '/metrics', '/admin', '/admin/backup', '/kv2/a', '/status/'])(
    'is a 404 in JSON: %s',
    async (path) => {
      const { send } = await fakeServer();

      const response = await send('GET', path);

      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { code: 'KV_NO_SUCH_ROUTE', outcome: 'notCommitted' },
      });
    },
  );

  it('is a 405 if another method is', async () => {
    const { send } = await fakeServer();

    const response = await send('POST', '/kv/a', 'x');

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, PUT, DELETE');
    expect(await response.json()).toMatchObject({ error: { code: 'KV_METHOD_NOT_ALLOWED' } });
    expect((await send('GET', '/batch')).headers.get('allow')).toBe('POST');
  });
});

describe('an error of the node', () => {
  const cases: [code: string, status: number, retryAfter: string | null][] = [
    ['RAFT_NO_LEADER', 503, '1'],
    ['RAFT_TIMEOUT', 503, '1'],
    ['RAFT_TRANSFERRING', 503, '1'],
    ['RAFT_BUSY', 409, null],
    ['RAFT_TRANSFER_FAILED', 503, '1'],
    ['RAFT_OVERLOADED', 429, '1'],
    ['RAFT_ABORTED', 503, '1'],
    ['RAFT_CLOSED', 503, '1'],
    ['RAFT_STOPPED', 503, '1'],
    ['RAFT_UNKNOWN_OUTCOME', 503, '1'],
    ['RAFT_STORE_FAILED', 503, '1'],
    ['RAFT_STORE_DAMAGED', 503, '1'],
    ['RAFT_STORE_CLOSED', 503, '1'],
    ['RAFT_COMMAND_TOO_LARGE', 413, null],
    ['RAFT_BAD_RESULT', 500, null],
  ];
  it.each(cases)('%s is a %i', async (code, status, retryAfter) => {
    const { send, failWith } = await fakeServer();
    failWith(Object.assign(new RaftError(code, 'so it is', { outcome: 'unknown' }), { leaderId: 'n2' }));

    const response = await send('PUT', '/kv/a', 'x');

    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter);
    expect(await response.json()).toEqual({
      error: { code, message: 'so it is', outcome: 'unknown', leaderId: 'n2' },
    });
  });

  it('without an outcome counts as unknown for a write, and for a read as harmless', async () => {
    const { send, failWith } = await fakeServer();
    failWith(new RaftError('RAFT_TIMEOUT', 'late'));

    const write = await send('DELETE', '/kv/a');
    const read = await send('GET', '/kv/a');

    expect(await write.json()).toMatchObject({ error: { outcome: 'unknown' } });
    expect(await read.json()).toMatchObject({ error: { outcome: 'notCommitted' } });
  });

  it('that nobody foresaw is a 500, tells the log, and ends nothing', async () => {
    const { send, failWith, logged } = await fakeServer();
    const error = new TypeError('secret detail');
    failWith(error);

    const response = await send('PUT', '/kv/a', 'x');
    failWith(undefined);

    expect(response.status).toBe(500);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'KV_INTERNAL', outcome: 'unknown' } });
    expect(body).not.toContain('secret');
    expect(logged).toMatchObject([{ err: error }]);
    expect((await send('PUT', '/kv/a', 'x')).status).toBe(200);
  });
});

describe('a request that changes something', () => {
  const allowed: Record<string, string>[] = [
    { host: '127.0.0.1:8101' },
    { host: 'localhost:9' },
    { host: '[::1]:8101' },
    { host: 'KV.example.org' },
    { host: '127.0.0.1:8101', origin: 'http://localhost:3000' },
  ];
  it.each(allowed)('is let through for %o', async (headers) => {
    const { send } = await fakeServer();

    expect((await send('PUT', '/kv/a', 'x', headers)).status).toBe(200);
  });

  const refused: Record<string, string>[] = [
    { host: 'evil.example:8101' },
    { host: '192.168.0.7:8101' },
    { host: 'localhost.evil.example' },
    { host: '127.0.0.1.evil.example' },
    { host: '127.0.0.1:8101', origin: 'http://evil.example' },
    { host: '127.0.0.1:8101', origin: 'null' },
  ];
  it.each(refused)('is refused for %o', async (headers) => {
    const { send, asked, administered } = await fakeServer();

    for (const [method, path] of [
      ['PUT', '/kv/a'],
      ['DELETE', '/kv/a'],
      ['POST', '/append/a'],
      ['POST', '/batch'],
      ['POST', '/session'],
      ['POST', '/admin/members'],
      ['POST', '/admin/transfer'],
      ['POST', '/admin/snapshot'],
    ] as const) {
      const response = await send(method, path, method === 'DELETE' ? undefined : '[]', headers);

      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        error: { code: 'KV_FORBIDDEN_HOST', outcome: 'notCommitted' },
      });
    }
    expect([asked, administered]).toEqual([[], []]);
    expect((await send('GET', '/kv/a', undefined, headers)).status).toBe(404);
  });

  it('may name any address, though no name, where the server listens on all of them', async () => {
    const { send } = await fakeServer({ services: { hosts: { boundHost: '0.0.0.0', allowedHosts: [] } } });

    expect((await send('PUT', '/kv/a', 'x', { host: '192.168.0.7:8101' })).status).toBe(200);
    expect((await send('PUT', '/kv/a', 'x', { host: 'evil.example' })).status).toBe(403);
  });
});
