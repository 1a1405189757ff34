import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeServer } from '../kv/builders.ts';
import { fuzz, timeoutMs } from './budget.ts';
import { mutated } from './mutations.ts';

const bodies = [
  'a value',
  '{"expect": "hello", "value": "bye"}',
  '{"expect": null, "value": {"base64": "AAEC"}}',
  '[{"op": "put", "key": "a", "value": "1"}, {"op": "delete", "key": "b"}, {"op": "append", "key": "a", "value": "2"}]',
  '[{"op": "cas", "key": "a", "expect": {"base64": "/w=="}, "value": ""}]',
  '{"changes": [{"type": "add", "id": "n4", "url": "ws://127.0.0.1:7104", "role": "learner"}], "expectedIndex": 3}',
  '{"changes": [{"type": "remove", "id": "n2"}]}',
  '{"to": "n2"}',
].map((text) => new Uint8Array(Buffer.from(text)));

const targets = [
  ['PUT', '/kv/a'],
  ['DELETE', '/kv/a'],
  ['GET', '/kv/a?consistency=session&index=3&timeoutMs=100'],
  ['POST', '/append/a'],
  ['POST', '/cas/a'],
  ['POST', '/batch'],
  ['GET', '/range?prefix=a&limit=10'],
  ['GET', '/status'],
  ['POST', '/session'],
  ['POST', '/admin/members'],
  ['POST', '/admin/transfer'],
  ['POST', '/admin/snapshot'],
] as const;

/** What stands in a path or a header: no control characters, since no client can send them there. */
const printable = fc.string({
  unit: fc.constantFrom(...' !"%&+-./0123456789:=?@AZ[]^_az{}~'),
  maxLength: 12,
});

const request = fc.record({
  target: fc.constantFrom(...targets),
  more: fc.option(printable),
  key: fc.option(fc.oneof(printable, fc.constantFrom('1-1', '1-0', '1-2', '9007199254740993-1'))),
  body: mutated(bodies),
});

describe('whatever a client sends', { timeout: timeoutMs }, () => {
  it('is answered, by an error with a code where it is wrong, and harms nobody', async () => {
    const { send } = await fakeServer();
    await send('POST', '/session');

    await fuzz(request, 1_000, async ({ target: [method, path], more, key, body }) => {
      const headers: Record<string, string> = key === null ? {} : { 'Idempotency-Key': key };
      const sent = method === 'GET' ? undefined : (body as Uint8Array<ArrayBuffer>);
      const where = `${path}${(more ?? '').replaceAll(' ', '+')}`;

      const response = await send(method, where, sent, headers);

      const answer = await response.text();
      expect(response.status, `${method} ${where} ${answer}`).not.toBe(500); // What nobody foresaw.
      if (response.status >= 400) {
        expect(JSON.parse(answer).error.code).toMatch(/^(KV|RAFT)/);
      }
      expect((await send('PUT', '/kv/unharmed', 'yes')).status).toBe(200);
    });
  });
});
