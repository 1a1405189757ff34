import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlainRequest, plainRequestOf } from '../../../examples/kv/http/plain-request.ts';

/** What Node's own server makes of some bytes: the requests in them, and an error as `null`. */
async function readByNode(bytes: Buffer) {
  const server = createServer({ requireHostHeader: false });
  const found: ({ request: IncomingMessage; parts: Buffer[] } | null)[] = [];
  const note = (request: IncomingMessage): void => {
    const parts: Buffer[] = [];
    found.push({ request, parts });
    request.on('data', (part: Buffer) => void parts.push(part));
  };
  server.on('request', note).on('checkContinue', note).on('checkExpectation', note);
  server.on('clientError', () => void found.push(null));
  const connection = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  server.emit('connection', connection);
  connection.push(bytes);
  for (let turns = 0; turns < 3; turns++) await turn();
  connection.destroy();
  return found.map((each) => {
    if (each === null) return null;
    const { method, url, headers, complete } = each.request;
    return {
      method,
      url,
      headers: { ...headers },
      complete,
      body: Buffer.concat(each.parts).toString('latin1'),
    };
  });
}

/** The same of a plain request, as we read it. */
function readByUs({ method, target, headers, bodyAt }: PlainRequest, bytes: Buffer) {
  const body = bytes.toString('latin1', bodyAt);
  return [{ method, url: target, headers: Object.fromEntries(headers), complete: true, body }];
}

const names = [
  'Accept',
  'Origin',
  'X_Y',
  'Cookie',
  'Host',
  'Content-Length',
  'Connection',
  'Proxy-Connection',
  'Transfer-Encoding',
];
const values = [
  '*/*',
  'a, b',
  '',
  'a:b',
  '3',
  '3\t',
  '03',
  '+3',
  '3,3',
  'keep-alive',
  'close',
  'chunked',
  '\u0080',
];
const target = fc.constantFrom(
  '/kv/a',
  '/kv/a%20b?timeoutMs=5',
  '/kv/../x',
  '/kv//',
  '/kv/a#b',
  '/kv/a b',
  '/kv/\\',
);
const line = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom(':', ': ', ':\t', ' :'), fc.constantFrom(...values))
  .map((parts) => `${parts.join('')}\r\n`);
const damage = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom('', ...'\r\n\t\0\x7f :,a0Z'),
);
const starts = {
  PUT: { length: 'Content-Length: 3\r\n', body: 'abc' },
  GET: { length: '', body: '' },
} as const;
const request = (method: 'GET' | 'PUT') =>
  fc
    .record({ target, lines: fc.array(line, { maxLength: 3 }), damages: fc.array(damage, { maxLength: 2 }) })
    .map((given) => {
      const { length, body } = starts[method];
      const head = `${method} ${given.target} HTTP/1.1\r\nHost: localhost\r\n${length}`;
      let text = `${head}${given.lines.join('')}\r\n${body}`;
      for (const [place, put] of given.damages) {
        const at = Math.floor(place * text.length);
        text = text.slice(0, at) + put + text.slice(at + 1);
      }
      return Buffer.from(text, 'latin1');
    });

describe.each(['GET', 'PUT'] as const)('a %s that is read as a plain one', (method) => {
  it('is the same to Node', async () => {
    let plain = 0;

    await fc.assert(
      fc.asyncProperty(request(method), async (bytes) => {
        const found = plainRequestOf(bytes);
        if (found === null || found.bodyAt + found.bodyBytes !== bytes.byteLength) return;
        plain += 1;
        expect(await readByNode(bytes)).toEqual(readByUs(found, bytes));
      }),
      { numRuns: 3_000 },
    );

    expect(plain).toBeGreaterThan(100);
  });
});
