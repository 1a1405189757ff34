import { describe, expect, it } from 'vitest';
import { eventsIn } from '../../../examples/kv/cli/event-reader.ts';
import { fakeServer } from './builders.ts';

type Server = Awaited<ReturnType<typeof fakeServer>>;

/** Opens a session, and gives a function that appends to a key as a request of it. */
async function openSession({ send }: Server) {
  const { session } = (await (await send('POST', '/session')).json()) as { session: number };
  const append = (sequence: number | string, value = 'x', more: Record<string, string> = {}) =>
    send('POST', '/append/a', value, { 'idempotency-key': `${session}-${sequence}`, ...more });
  const value = async () => (await send('GET', '/kv/a')).text();
  return { session, append, value };
}

describe('a write of a session', () => {
  it('is carried out once, and answers the same each time', async () => {
    const server = await fakeServer();
    const { append, value } = await openSession(server);

    const first = await append(1);
    await append(2, 'y');
    const again = await append(1);

    expect([first.status, again.status]).toEqual([200, 200]);
    const answer = await first.json();
    expect(answer).toEqual({ length: 1, index: 2, term: 1 });
    expect(await again.json()).toEqual(answer);
    expect(await value()).toBe('xy');
  });

  it('may be any write', async () => {
    const { send } = await fakeServer();
    const { session } = (await (await send('POST', '/session')).json()) as { session: number };
    const requests = [
      ['PUT', '/kv/a', '1'],
      ['POST', '/cas/a', '{"expect": "1", "value": "2"}'],
      ['POST', '/batch', '[{"op": "cas", "key": "a", "expect": "2", "value": "3"}]'],
      ['DELETE', '/kv/a', undefined],
    ] as const;

    for (const [at, [method, path, body]] of requests.entries()) {
      const headers = { 'idempotency-key': `${session}-${at + 1}` };
      const first = await (await send(method, path, body, headers)).json();
      const again = await (await send(method, path, body, headers)).json();

      expect(again).toEqual(first);
    }
    expect((await send('GET', '/kv/a')).status).toBe(404);
  });

  it('is refused again where it was refused before', async () => {
    const server = await fakeServer();
    const { append } = await openSession(server);
    await append(1, 'x'.repeat(1_024));

    const first = await append(2);
    const again = await append(2);

    expect([first.status, again.status]).toEqual([413, 413]);
    expect(await again.json()).toEqual(await first.json());
  });

  it('is not carried out in a session that nobody knows, and may have been before', async () => {
    const { send } = await fakeServer();

    const response = await send('PUT', '/kv/a', 'x', { 'idempotency-key': '99-1' });

    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'KV_SESSION_EXPIRED',
        outcome: 'unknown',
        message: expect.stringContaining('session 99'),
      },
    });
    expect((await send('GET', '/kv/a')).status).toBe(404);
  });

  it('keeps its answer for the 256 requests that may be under way', async () => {
    const server = await fakeServer();
    const { append, value } = await openSession(server);
    await append(1);

    await append(256, '');
    const within = await append(1);
    await append(257, '');
    const beyond = await append(1);

    expect([within.status, beyond.status]).toEqual([200, 409]);
    expect(await value()).toBe('x');
  });

  it('keeps its answer for as long as the client says, up to 1,024', async () => {
    const server = await fakeServer();
    const { append } = await openSession(server);
    const all = { 'idempotency-lowest': '1' };
    for (let sequence = 1; sequence <= 1_024; sequence++) await append(sequence, '', all);

    const full = await append(1_025, '', all);
    const retried = await append(1, '', all);
    const told = await append(1_025, '', { 'idempotency-lowest': '2' });

    expect([full.status, retried.status, told.status]).toEqual([429, 200, 200]);
    expect(await full.json()).toMatchObject({ error: { code: 'KV_SESSION_FULL', outcome: 'notCommitted' } });
  });

  it.each([
    { 'idempotency-key': '17' },
    { 'idempotency-key': '17-' },
    { 'idempotency-key': '0-1' },
    { 'idempotency-key': '1-0' },
    { 'idempotency-key': '1-01' },
    { 'idempotency-key': '"1-1"' },
    { 'idempotency-key': '1-1-1' },
    { 'idempotency-key': '1-9999999999999999' },
    { 'idempotency-key': '1-2', 'idempotency-lowest': '3' },
    { 'idempotency-key': '1-2', 'idempotency-lowest': '0' },
    { 'idempotency-lowest': '1' },
  ])('is refused when its headers make no sense: %o', async (headers) => {
    const { send, asked } = await fakeServer();

    const response = await send('PUT', '/kv/a', 'x', headers as Record<string, string>);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'KV_MALFORMED' } });
    expect(asked).toEqual([]);
  });

  it('is told to those who watch with the names of session and request, its retry too', async () => {
    const server = await fakeServer();
    const { session, append } = await openSession(server);
    await append(1);
    await append(1);
    await server.send('PUT', '/kv/a', 'plain');

    const { body } = await server.send('GET', '/watch?from=1');
    const events: object[] = [];
    for await (const { data } of eventsIn(body as ReadableStream<Uint8Array>)) {
      events.push(JSON.parse(data));
      if (events.length === 3) break;
    }

    expect(events).toMatchObject([
      { index: 2, op: 'append', session, sequence: 1 },
      { index: 3, op: 'append', session, sequence: 1 },
      { index: 4, op: 'put' },
    ]);
    expect(events[2]).not.toHaveProperty('session');
  });
});
