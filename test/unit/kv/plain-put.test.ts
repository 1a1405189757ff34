import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlainPut, plainPutOf } from '../../../examples/kv/http/plain-put.ts';

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
      value: Buffer.concat(each.parts).toString('latin1'),
    };
  });
}

/** The same of a plain put, as we read it. */
function readByUs({ target, headers, valueAt }: PlainPut, bytes: Buffer) {
  const value = bytes.toString('latin1', valueAt);
  return [{ method: 'PUT', url: target, headers: Object.fromEntries(headers), complete: true, value }];
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
const request = fc
  .record({ target, lines: fc.array(line, { maxLength: 3 }), damages: fc.array(damage, { maxLength: 2 }) })
  .map((given) => {
    const head = `PUT ${given.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n`;
    let text = `${head}${given.lines.join('')}\r\nabc`;
    for (const [place, put] of given.damages) {
      const at = Math.floor(place * text.length);
      text = text.slice(0, at) + put + text.slice(at + 1);
    }
    return Buffer.from(text, 'latin1');
  });

describe('a put that is read as a plain one', () => {
  it('is the same to Node', async () => {
    let plain = 0;

    await fc.assert(
      fc.asyncProperty(request, async (bytes) => {
        const put = plainPutOf(bytes);
        if (put === null || put.valueAt + put.valueBytes !== bytes.byteLength) return;
        plain += 1;
        expect(await readByNode(bytes)).toEqual(readByUs(put, bytes));
      }),
      { numRuns: 3_000 },
    );

    expect(plain).toBeGreaterThan(100);
  });
});
