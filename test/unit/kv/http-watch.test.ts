import { index, RaftError } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { eventsIn } from '../../../examples/kv/cli/event-reader.ts';
import { eventStream } from '../../../examples/kv/http/event-stream.ts';
import { bytes, fakeServer } from './builders.ts';

type Server = Awaited<ReturnType<typeof fakeServer>>;

/** The first events of a watch, with their data parsed. */
async function take(server: Server, path: string, count: number, headers: Record<string, string> = {}) {
  const response = await server.send('GET', path, undefined, headers);
  expect(response.status).toBe(200);
  const events: object[] = [];
  if (count === 0) return events;
  for await (const { id, type, data } of eventsIn(response.body as ReadableStream<Uint8Array>)) {
    events.push({ id, type, ...JSON.parse(data) });
    if (events.length === count) break;
  }
  return events;
}

describe('a watch', () => {
  it('tells one event for each command, also for a batch', async () => {
    const server = await fakeServer();
    await server.send('PUT', '/kv/a', '1');
    await server.send('POST', '/append/a', Uint8Array.of(0xff));
    await server.send('POST', '/cas/a', '{"expect": "x", "value": "y"}');
    await server.send('POST', '/batch', '[{"op":"put","key":"b","value":"2"},{"op":"delete","key":"a"}]');
    await server.send('DELETE', '/kv/b');

    const events = await take(server, '/watch?from=1', 5);

    const at = (n: number) => ({ id: String(n), type: 'message', index: n, term: 1, logTimeMs: 5 });
    expect(events).toEqual([
      { ...at(1), op: 'put', key: 'a', value: '1' },
      { ...at(2), op: 'append', key: 'a', value: { base64: '/w==' } },
      { ...at(3), op: 'cas', key: 'a', expect: 'x', value: 'y' },
      {
        ...at(4),
        op: 'batch',
        ops: [
          { op: 'put', key: 'b', value: '2' },
          { op: 'delete', key: 'a' },
        ],
      },
      { ...at(5), op: 'delete', key: 'b' },
    ]);
  });

  it('leaves out what opens a session', async () => {
    const server = await fakeServer();
    await server.send('POST', '/session');
    await server.send('PUT', '/kv/a', '1');

    expect(await take(server, '/watch?from=1', 1)).toMatchObject([{ id: '2', op: 'put' }]);
  });

  it('begins with what comes next unless it is told where', async () => {
    const server = await fakeServer();
    await server.send('PUT', '/kv/a', '1');
    const watching = server.send('GET', '/watch');
    const response = await watching;

    await server.send('PUT', '/kv/a', '2');

    expect(response.headers.get('rxraft-index')).toBe('1');
    for await (const { id } of eventsIn(response.body as ReadableStream<Uint8Array>)) {
      expect(id).toBe('2');
      break;
    }
  });

  it('goes on after the last event that was seen', async () => {
    const server = await fakeServer();
    for (const value of ['1', '2', '3']) await server.send('PUT', '/kv/a', value);

    const events = await take(server, '/watch?from=1', 1, { 'last-event-id': '2' });

    expect(events).toMatchObject([{ id: '3', value: '3' }]);
  });

  it('tells only what has the prefix', async () => {
    const server = await fakeServer();
    await server.send('PUT', '/kv/b', '1');
    await server.send('POST', '/batch', '[{"op":"put","key":"a1","value":"2"},{"op":"delete","key":"b"}]');
    await server.send('POST', '/batch', '[{"op":"delete","key":"b"}]');
    await server.send('PUT', '/kv/a', '3');

    const events = await take(server, '/watch?from=0&prefix=a', 2);

    expect(events).toMatchObject([
      { id: '2', ops: [{ op: 'put', key: 'a1' }] },
      { id: '4', op: 'put' },
    ]);
  });

  it.each(['from=-1', 'from=x', 'prefix=%'])('refuses %s', async (query) => {
    const { send } = await fakeServer();

    expect((await send('GET', `/watch?${query}`)).status).toBe(400);
    expect((await send('GET', '/watch', undefined, { 'last-event-id': 'x' })).status).toBe(400);
  });

  it('is a 410 with the index of the snapshot where the log begins later', async () => {
    const { send } = await fakeServer({ status: { firstIndex: index(11), snapshotIndex: index(10) } });

    for (const response of [
      await send('GET', '/watch?from=10'),
      await send('GET', '/watch?from=20', undefined, { 'last-event-id': '9' }),
    ]) {
      expect(response.status).toBe(410);
      expect(await response.json()).toMatchObject({ error: { code: 'RAFT_COMPACTED', snapshotIndex: 10 } });
    }
  });

  it('that loses its place ends with an event that says why, and what to do, as a 410 does', async () => {
    const server = await fakeServer({ status: { firstIndex: index(11), snapshotIndex: index(10) } });
    server.failWith(new RaftError('RAFT_COMPACTED', 'too slow'));

    expect(await take(server, '/watch?from=11', 1)).toMatchObject([
      {
        type: 'end',
        error: {
          code: 'RAFT_COMPACTED',
          message: expect.stringMatching(/the log begins at 11: read the keys with \/range/),
          snapshotIndex: 10,
        },
      },
    ]);
  });

  it('ends when the server closes', async () => {
    const server = await fakeServer();
    const response = await server.send('GET', '/watch');

    server.closing.abort();

    expect(await response.text()).toContain(': from index 1');
  });

  it('is refused when too many watch, and allowed again when one has gone', async () => {
    const { send } = await fakeServer();
    const first = await send('GET', '/watch');
    await send('GET', '/watch');

    const third = await send('GET', '/watch');
    await first.body?.cancel();
    const fourth = await send('GET', '/watch');

    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({ error: { code: 'KV_TOO_MANY_WATCHERS' } });
    expect(fourth.status).toBe(200);
  });

  it('costs nothing when only its head is asked for', async () => {
    const { send } = await fakeServer();

    for (let n = 0; n < 5; n++) expect((await send('HEAD', '/watch')).status).toBe(200);
  });
});

describe('a stream of events', () => {
  it('asks for no more than its client takes, and sends it no heartbeat meanwhile', async () => {
    let asked = 0;
    async function* endless() {
      for (;;) yield `${++asked}`;
    }
    const stream = eventStream(endless(), { heartbeatMs: 1, onEnd: () => undefined });

    await new Promise((resolve) => setTimeout(resolve, 30));
    const askedMeanwhile = asked;
    const reader = stream.getReader();
    const first = await reader.read();
    const second = await reader.read();
    await reader.cancel();

    expect(askedMeanwhile).toBe(1);
    expect([first.value, second.value]).toEqual([bytes('1'), bytes('2')]);
  });

  it('sends a comment now and then to a client that waits', async () => {
    async function* silent() {
      await new Promise(() => undefined);
      yield '';
    }
    const stream = eventStream(silent(), { heartbeatMs: 1, onEnd: () => undefined });

    const reader = stream.getReader();
    const { value } = await reader.read();
    await reader.cancel();

    expect(value).toEqual(bytes(': still here\n\n'));
  });
});

describe('events that are read', () => {
  it('come whole, however they were cut up', async () => {
    const sent = Buffer.from(
      ': hello\n\nid: 1\ndata: é\n\nid:2\r\nevent: end\r\ndata: a\r\ndata: b\r\n\r\ndata: cut off',
    );
    async function* byteByByte() {
      for (const byte of sent) yield Uint8Array.of(byte);
    }

    const events: object[] = [];
    for await (const event of eventsIn(byteByByte())) events.push(event);

    expect(events).toEqual([
      { id: '1', type: 'message', data: 'é' },
      { id: '2', type: 'end', data: 'a\nb' },
    ]);
  });
});
