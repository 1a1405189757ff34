import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { bytes, fakeServer } from './builders.ts';

const error = (code: string, outcome = 'notCommitted') => ({
  error: expect.objectContaining({ code, outcome }),
});

describe('a value over HTTP', () => {
  it('is put, read, appended to and deleted, byte for byte', async () => {
    const { send } = await fakeServer();
    const value = Uint8Array.from({ length: 256 }, (_, byte) => byte);

    const put = await send('PUT', '/kv/a', value);
    const read = await send('GET', '/kv/a');
    const append = await send('POST', '/append/a', value);
    const removed = await send('DELETE', '/kv/a');
    const again = await send('DELETE', '/kv/a');

    expect(await put.json()).toEqual({ index: 1, term: 1 });
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(value);
    expect(read.headers.get('rxraft-index')).toBe('1');
    expect(read.headers.get('content-type')).toBe('application/octet-stream');
    expect(await append.json()).toEqual({ length: 512, index: 2, term: 1 });
    expect(await removed.json()).toEqual({ existed: true, index: 3, term: 1 });
    expect(await again.json()).toEqual({ existed: false, index: 4, term: 1 });
  });

  it('that is not there is a 404 with the index that says so', async () => {
    const { send } = await fakeServer();

    const response = await send('GET', '/kv/nothing');

    expect(response.status).toBe(404);
    expect(response.headers.get('rxraft-index')).toBe('0');
    expect(await response.json()).toEqual(error('KV_NOT_FOUND'));
  });

  it('may be empty', async () => {
    const { send } = await fakeServer();
    await send('PUT', '/kv/a');

    const response = await send('GET', '/kv/a');

    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it('is refused beyond the limit, whether or not it says its length', async () => {
    const { send, asked } = await fakeServer();
    const long = new Uint8Array(1_025);
    const chunks = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 5; n++) controller.enqueue(new Uint8Array(300));
        controller.close();
      },
    });

    const declared = await send('PUT', '/kv/a', long, { 'content-length': '1025' });
    const chunked = await send('PUT', '/kv/a', chunks);
    const appended = await send('POST', '/append/a', long);

    for (const response of [declared, chunked, appended]) {
      expect(response.status).toBe(413);
      expect(await response.json()).toEqual(error('KV_TOO_LARGE'));
    }
    expect(asked).toEqual([]);
  });

  it.each([
    ['is longer than anybody waits for', { 'content-length': `${2 ** 26 + 1}` }],
    ['waits for leave to be sent', { 'content-length': '1025', expect: '100-continue' }],
  ])('is not read at all when it says that it %s', async (_, headers: Record<string, string>) => {
    const { send } = await fakeServer();
    let reads = 0;
    const body = new ReadableStream({ pull: () => void reads++ }, { highWaterMark: 0 });

    const response = await send('PUT', '/kv/a', body, headers);

    expect(response.status).toBe(413);
    expect(reads).toBe(0);
  });

  const stalling: Record<string, string>[] = [{}, { 'content-length': '9999' }];
  it.each(stalling)('is refused when its end does not come, and not cancelled: %o', async (headers) => {
    const { send } = await fakeServer();
    const cancel = vi.fn();
    const body = new ReadableStream({ start: (to) => to.enqueue(new Uint8Array(1_025)), cancel });
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let status = 0;

    const answered = Promise.resolve(send('PUT', '/kv/a', body, headers)).then((response) => {
      status = response.status;
    });
    await vi.advanceTimersByTimeAsync(100);
    const early = status;
    await vi.runAllTimersAsync();
    await answered;

    expect([early, status]).toEqual([0, 413]);
    expect(cancel).not.toHaveBeenCalled(); // It would cut the connection before the answer.
  });

  it('is refused where appending would make it too long', async () => {
    const { send } = await fakeServer();
    await send('POST', '/append/a', new Uint8Array(1_000));

    const response = await send('POST', '/append/a', new Uint8Array(25));

    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({
      error: {
        code: 'KV_TOO_LARGE',
        message: 'the value would have 1025 bytes, and may have 1024',
        outcome: 'notCommitted',
      },
    });
  });
});

describe('a key in a path', () => {
  const keys: Record<string, string> = {
    'a/b': 'a%2Fb',
    'a//b': 'a//b',
    '..': '%2E%2E',
    '../status': '../status',
    'é?#&+ %': '%C3%A9%3F%23%26+%20%25',
  };
  for (const [key, encoded] of Object.entries(keys)) {
    it(`is what was encoded: ${key}`, async () => {
      const { send, asked } = await fakeServer();

      const response = await send('PUT', `/kv/${encoded}`, 'x');

      expect(response.status).toBe(200);
      expect(asked[0]?.command).toMatchObject({ type: 'plain', command: { type: 'put', key: bytes(key) } });
    });
  }

  it('may be bytes that are no text', async () => {
    const { send, asked } = await fakeServer();

    await send('PUT', '/kv/%FF%00%c3', 'x');

    expect(asked[0]?.command).toMatchObject({ command: { key: Uint8Array.of(0xff, 0x00, 0xc3) } });
  });

  it.each(['/kv/%', '/kv/%4', '/kv/%zz', '/kv/a%2', '/kv/', '/kv', '/append/', '/cas/%'])(
    'is refused when it is not well formed: %s',
    async (path) => {
      const { send } = await fakeServer();

      const response = await send(
        path.startsWith('/kv') ? 'PUT' : 'POST',
        path,
        '{"expect":null,"value":""}',
      );

      expect(response.status).toBe(400);
      expect(await response.json()).toEqual(error('KV_MALFORMED'));
    },
  );

  it('is refused beyond the limit', async () => {
    const { send } = await fakeServer();

    const within = await send('PUT', `/kv/${'%61'.repeat(1_024)}`, 'x');
    const beyond = await send('PUT', `/kv/${'a'.repeat(1_025)}`, 'x');

    expect(within.status).toBe(200);
    expect(beyond.status).toBe(413);
  });
});

describe('a compare-and-swap over HTTP', () => {
  it('says whether it swapped', async () => {
    const { send } = await fakeServer();

    const first = await send('POST', '/cas/a', '{"expect": null, "value": "1"}');
    const second = await send('POST', '/cas/a', '{"expect": null, "value": "2"}');
    const third = await send('POST', '/cas/a', '{"expect": "1", "value": {"base64": "/w=="}}');

    expect(await first.json()).toEqual({ swapped: true, index: 1, term: 1 });
    expect(await second.json()).toEqual({ swapped: false, index: 2, term: 1 });
    expect(await third.json()).toEqual({ swapped: true, index: 3, term: 1 });
    expect(new Uint8Array(await (await send('GET', '/kv/a')).arrayBuffer())).toEqual(Uint8Array.of(0xff));
  });

  it.each([
    'nonsense',
    '{}',
    '{"expect": 1, "value": "x"}',
    '{"value": "x"}',
    '{"expect": null, "value": "\\ud800"}',
    '{"expect": null, "value": {"base64": "!"}}',
    '{"expect": null, "value": "x", "more": 1}',
  ])('is refused when it is not well formed: %s', async (body) => {
    const { send, asked } = await fakeServer();

    const response = await send('POST', '/cas/a', body);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(error('KV_MALFORMED'));
    expect(asked).toEqual([]);
  });

  it('is refused when a value in it is too long', async () => {
    const { send } = await fakeServer();

    const response = await send('POST', '/cas/a', JSON.stringify({ expect: null, value: 'x'.repeat(1_025) }));

    expect(response.status).toBe(413);
  });
});

describe('a batch over HTTP', () => {
  it('gives one answer for each operation, at one index', async () => {
    const { send, asked } = await fakeServer();
    const ops = [
      { op: 'put', key: 'a', value: 'x'.repeat(1_024) },
      { op: 'append', key: 'a', value: 'y' },
      { op: 'cas', key: 'b', expect: null, value: '1' },
      { op: 'delete', key: { base64: 'YQ==' } },
    ];

    const response = await send('POST', '/batch', JSON.stringify(ops));

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual([
      { index: 1, term: 1 },
      error('KV_TOO_LARGE'),
      { swapped: true, index: 1, term: 1 },
      { existed: true, index: 1, term: 1 },
    ]);
    expect(asked).toHaveLength(1);
  });

  it('tells every problem with where it is', async () => {
    const { send } = await fakeServer();

    const response = await send('POST', '/batch', '[{"op": "put", "key": "a"}, {"op": "get", "key": "a"}]');

    expect(response.status).toBe(400);
    const { error: problem } = (await response.json()) as { error: { message: string } };
    expect(problem.message).toContain('0.value');
    expect(problem.message).toContain('1.op');
  });

  it.each([
    '[]',
    '{}',
    '[{"op": "put", "key": "", "value": ""}]',
    JSON.stringify(Array(1_001).fill({ op: 'delete', key: 'a' })),
  ])('is refused when it is not well formed', async (body) => {
    const { send } = await fakeServer();

    expect((await send('POST', '/batch', body)).status).toBe(400);
  });
});

describe('a range over HTTP', () => {
  it('gives keys and values, as strings where they are text', async () => {
    const { send } = await fakeServer();
    await send('PUT', '/kv/a%20b', 'text');
    await send('PUT', '/kv/a%FF', Uint8Array.of(0xff));
    await send('PUT', '/kv/b', 'x');

    const response = await send('GET', '/range?prefix=a&limit=2');
    const rest = await send('GET', '/range?prefix=a&from=a+b&limit=1');

    expect(response.headers.get('rxraft-index')).toBe('3');
    expect(await response.json()).toEqual({
      index: 3,
      items: [
        { key: 'a b', value: 'text' },
        { key: { base64: 'Yf8=' }, value: { base64: '/w==' } },
      ],
      next: null,
    });
    expect(await rest.json()).toMatchObject({ items: [{ key: 'a b' }], next: { base64: 'Yf8=' } });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'limit=', 'prefix=%', 'from=%f'])(
    'refuses %s',
    async (query) => {
      const { send } = await fakeServer();

      expect((await send('GET', `/range?${query}`)).status).toBe(400);
    },
  );
});

describe('what a request says about itself', () => {
  it('reaches the node', async () => {
    const { send, asked } = await fakeServer();

    await send('PUT', '/kv/a?timeoutMs=250', 'x');
    await send('GET', '/kv/a?consistency=session&index=17&timeoutMs=9');
    await send('GET', '/kv/a?consistency=stale');
    await send('GET', '/kv/a');

    expect(asked.map(({ options }) => options)).toEqual([
      { timeoutMs: 250 },
      { consistency: 'session', index: 17, timeoutMs: 9 },
      { consistency: 'stale' },
      { consistency: 'linearizable' },
    ]);
  });

  it.each([
    'timeoutMs=0',
    'timeoutMs=-1',
    'timeoutMs=1e3',
    'timeoutMs=600001',
    'timeoutMs=',
    'consistency=strong',
    'consistency=session',
    'consistency=session&index=x',
    'index=3',
  ])('is refused when it makes no sense: %s', async (query) => {
    const { send, asked } = await fakeServer();

    const response = await send('GET', `/kv/a?${query}`);

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(error('KV_MALFORMED'));
    expect(asked).toEqual([]);
  });
});
