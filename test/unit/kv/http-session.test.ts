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

  const put = (key: string) => ({ op: 'put', key, value: '1' });
  const batch = (...ops: object[]) => ['POST', '/batch', JSON.stringify(ops)] as const;
  const requests = {
    append: ['POST', '/append/a', 'x'],
    'append that is refused': ['POST', '/append/a', 'x'.repeat(1_024)],
    put: ['PUT', '/kv/a', 'x'],
    delete: ['DELETE', '/kv/a', undefined],
    cas: ['POST', '/cas/a', '{"expect": null, "value": "2"}'],
    'batch of one put': batch(put('b')),
    'batch of two puts': batch(put('b'), put('c')),
    'batch of two kinds': batch(put('b'), { op: 'delete', key: 'c' }),
  } as const;

  it.each<[keyof typeof requests, keyof typeof requests]>([
    ['append', 'delete'],
    ['append', 'batch of two puts'],
    ['append that is refused', 'put'],
    ['put', 'append'],
    ['delete', 'cas'],
    ['cas', 'delete'],
    ['put', 'batch of one put'],
    ['batch of one put', 'put'],
    ['batch of two puts', 'batch of one put'],
    ['batch of two puts', 'batch of two kinds'],
  ])('is not answered, and not carried out, with the key of another: after that of %s, %s', async (a, b) => {
    const { send } = await fakeServer();
    await send('PUT', '/kv/a', 'keep');
    const { session } = (await (await send('POST', '/session')).json()) as { session: number };
    const headers = { 'idempotency-key': `${session}-1` };
    const ask = ([method, path, body]: (typeof requests)[keyof typeof requests]) =>
      send(method, path, body, headers);
    await ask(requests[a]);
    const before = (await (await send('GET', '/range')).json()) as { items: unknown };

    const response = await ask(requests[b]);

    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'KV_IDEMPOTENCY_KEY_REUSED',
        outcome: 'notCommitted',
        message: expect.stringContaining(`${session}-1 was used for another request`),
      },
    });
    expect(await (await send('GET', '/range')).json()).toMatchObject({ items: before.items });
  });

  it('is told that its sequence was skipped, or answered, where a later one has gone far ahead', async () => {
    const server = await fakeServer();
    const { append } = await openSession(server);
    await append(5_000);

    const { error } = (await (await append(4_500)).json()) as { error: { message: string } };

    expect(error.message).toContain('its sequence 4500 is below the lowest that it still takes');
    expect(error.message).toContain('or skipped');
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
