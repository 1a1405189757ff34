import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { askAny, errorIn, NoAnswer } from '../../../examples/kv/cli/client.ts';
import { deserted, listening } from './servers.ts';

const refusing = (outcome: string): RequestListener => {
  return (_, response) => {
    response.statusCode = 503;
    response.end(JSON.stringify({ error: { code: 'RAFT_NO_LEADER', message: 'none', outcome } }));
  };
};
const good: RequestListener = (_, response) => void response.end('good');
const put = { method: 'PUT', path: '/kv/a', body: Buffer.from('x'), timeoutMs: 2_000 } as const;
const get = { method: 'GET', path: '/kv/a', timeoutMs: 2_000 } as const;

describe('a client of several servers', () => {
  it('goes on to the next where nobody listens, or nothing was changed', async () => {
    const urls = [await deserted(), await listening(refusing('notCommitted')), await listening(good)];

    expect((await askAny(urls, put)).body.toString()).toBe('good');
  });

  it('does not repeat a write that may have been carried out', async () => {
    let asked = 0;
    const last = await listening((request, response) => {
      asked++;
      good(request, response);
    });
    const broken = await listening((request) => request.socket.destroy());

    const unknown = await askAny([await listening(refusing('unknown')), last], put);
    const cut = askAny([broken, last], put);

    expect(unknown.status).toBe(503);
    await expect(cut).rejects.toMatchObject({ isSent: true });
    expect(asked).toBe(0);
    expect((await askAny([broken, last], get)).status).toBe(200);
  });

  it('tells of every server where none answers', async () => {
    const urls = [await deserted(), await deserted()];

    const failure = await askAny(urls, put).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(NoAnswer);
    expect(failure).toMatchObject({
      isSent: false,
      message: expect.stringMatching(/ECONNREFUSED[\s\S]*ECONNREFUSED/),
    });
  });

  it('gives up on one that does not answer in time', async () => {
    const silent = await listening(() => undefined);

    await expect(askAny([silent], { ...put, timeoutMs: 50 })).rejects.toThrow('no answer within 50 ms');
  });

  it('asks all of them within the time it may wait, and tells each what is left', async () => {
    const asked: string[] = [];
    const refusingAfter = (share: number): RequestListener => {
      return (request, response) => {
        asked.push(request.url ?? '');
        const waitMs = Number(/timeoutMs=(\d+)$/.exec(request.url ?? '')?.[1]);
        setTimeout(() => refusing('notCommitted')(request, response), share * waitMs);
      };
    };
    const atOnce = await listening(refusingAfter(0));
    const inTime = await listening(refusingAfter(1));
    const last = await listening(good);

    const answer = await askAny([atOnce, inTime, last], { ...get, path: '/kv/a?index=1', waitMs: 300 });

    expect(answer.status).toBe(503);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toBe('/kv/a?index=1&timeoutMs=300');
    expect(asked[1]).toMatch(/^\/kv\/a\?index=1&timeoutMs=(300|[12]\d\d|\d\d?)$/);
  });

  it('sends the path as it is', async () => {
    const echo = await listening((request, response) => void response.end(request.url));

    expect((await askAny([echo], { ...get, path: '/kv/%2E%2E?a=%FF' })).body.toString()).toBe(
      '/kv/%2E%2E?a=%FF',
    );
  });
});

describe('an error of a server', () => {
  const told = (body: string) => errorIn({ url: 'http://h', status: 410, body: Buffer.from(body) });

  it('is handed on with all that it says', () => {
    const error = { code: 'RAFT_COMPACTED', message: 'gone', outcome: 'notCommitted', snapshotIndex: 9 };

    expect(told(JSON.stringify({ error }))).toEqual(error);
  });

  it.each(['', 'null', '{}', '{"error":null}'])('is one of a stranger where the body is %j', (body) => {
    expect(told(body)).toMatchObject({ code: 'HTTP_410', outcome: 'unknown' });
  });
});
