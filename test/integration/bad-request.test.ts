import { describe, expect, it } from 'vitest';
import { clusterOfAll } from './harness/cluster.ts';
import type { Sending } from './harness/http.ts';
import type { ServerNode } from './harness/server-node.ts';

const cluster = clusterOfAll(['n1', 'n2', 'n3']);
const mebibyte = 1024 * 1024;

interface Refused {
  readonly line: string;
  readonly sending?: Sending;
  readonly status: number;
  readonly code: string;
  readonly message: RegExp;
}

const refused: readonly Refused[] = [
  {
    line: 'PUT /kv/too-large',
    sending: { body: Buffer.alloc(mebibyte + 1) },
    status: 413,
    code: 'KV_TOO_LARGE',
    message: /1048576 bytes.*1048577.*a higher --value-bytes-max/,
  },
  {
    line: `PUT /kv/${'k'.repeat(1_025)}`,
    sending: { body: 'v' },
    status: 413,
    code: 'KV_TOO_LARGE',
    message: /1024 bytes.*1025.*a higher --key-bytes-max/,
  },
  {
    line: 'GET /nothing',
    status: 404,
    code: 'KV_NO_SUCH_ROUTE',
    message: /\/nothing.*There is \/kv\/\*,.*\/status/,
  },
  { line: 'POST /nothing', status: 404, code: 'KV_NO_SUCH_ROUTE', message: /\/nothing/ },
  { line: 'GET /kv/%zz', status: 400, code: 'KV_MALFORMED', message: /percent-encoded, such as/ },
  {
    line: 'PUT /kv/%',
    sending: { body: 'v' },
    status: 400,
    code: 'KV_MALFORMED',
    message: /percent-encoded, such as/,
  },
  { line: 'GET /kv/', status: 400, code: 'KV_MALFORMED', message: /at least one byte/ },
  { line: 'GET /range?prefix=%f', status: 400, code: 'KV_MALFORMED', message: /prefix/ },
  { line: 'POST /kv/a', sending: { body: 'v' }, status: 405, code: 'KV_METHOD_NOT_ALLOWED', message: /PUT/ },
  { line: 'PUT /status', sending: { body: 'v' }, status: 405, code: 'KV_METHOD_NOT_ALLOWED', message: /GET/ },
  {
    line: 'POST /cas/a',
    sending: { body: '{"expect": ' },
    status: 400,
    code: 'KV_MALFORMED',
    message: /not JSON.*Expected something like/,
  },
  {
    line: 'POST /cas/a',
    sending: { body: '{"value": 1}' },
    status: 400,
    code: 'KV_MALFORMED',
    message: /value.*Expected something like/,
  },
  {
    line: 'POST /batch',
    sending: { body: '[{"op":"put","key":"half","value":"done"},{"op":"explode","key":"a"}]' },
    status: 400,
    code: 'KV_MALFORMED',
    message: /Expected something like/,
  },
  {
    line: 'GET /kv/a?consistency=perhaps',
    status: 400,
    code: 'KV_MALFORMED',
    message: /linearizable, session, stale/,
  },
  { line: 'GET /kv/a?consistency=session', status: 400, code: 'KV_MALFORMED', message: /needs the index/ },
  { line: 'GET /kv/a?timeoutMs=soon', status: 400, code: 'KV_MALFORMED', message: /timeoutMs.*whole number/ },
  {
    line: 'GET /watch',
    sending: { headers: { 'last-event-id': 'x' } },
    status: 400,
    code: 'KV_MALFORMED',
    message: /Last-Event-ID/,
  },
  {
    line: 'PUT /kv/rebound',
    sending: { body: 'v', headers: { host: 'evil.example:8101' } },
    status: 403,
    code: 'KV_FORBIDDEN_HOST',
    message: /evil\.example.*--allowed-hosts/,
  },
  {
    line: 'DELETE /kv/rebound',
    sending: { headers: { origin: 'https://evil.example' } },
    status: 403,
    code: 'KV_FORBIDDEN_HOST',
    message: /evil\.example.*--allowed-hosts/,
  },
];

describe('a request that is wrong', () => {
  it.each(refused)('is refused: $line, $status', async ({ line, sending, status, code, message }) => {
    for (const node of cluster.nodes) {
      const answer = await node.ask(line, sending);

      expect([answer.status, answer.error.code]).toEqual([status, code]);
      expect(answer.error.outcome).toBe('notCommitted');
      expect(answer.error.message).toMatch(message);
      if (status === 405) expect(answer.headers.allow).toBeTruthy();
    }
  });

  it('changes nothing', async () => {
    const node = cluster.nodes[0] as ServerNode;

    const answer = await node.ask('GET /range');

    expect(answer.json).toMatchObject({ items: [], next: null });
  });
});

describe('a value of the longest that is taken', () => {
  it('arrives whole', async () => {
    const value = Buffer.alloc(mebibyte, 'abc');
    const [writer, reader] = cluster.nodes as [ServerNode, ServerNode];

    const put = await writer.ask('PUT /kv/large', { body: value });
    const got = await reader.ask('GET /kv/large');

    expect(put.status).toBe(200);
    expect(got.body.equals(value)).toBe(true);
  });
});
