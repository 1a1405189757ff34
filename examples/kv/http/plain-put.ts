import { STATUS_CODES } from 'node:http';
import type { KvServices } from './context.ts';
import { refusalOf } from './errors.ts';
import { hostProblem } from './host-check.ts';
import { keyHeader, lowestHeader } from './idempotency.ts';
import { written } from './replicate.ts';
import { keyIn, Query, splitTarget } from './target.ts';

/** The head of a `PUT /kv/KEY` that has nothing out of the ordinary about it. */
export interface PlainPut {
  /** Path and query, as they were sent. */
  readonly target: string;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Where its value begins, and how long it is. */
  readonly valueAt: number;
  readonly valueBytes: number;
}

/**
 * Reads the head that some bytes begin with. `null` for all but a plain one: what another reader of HTTP might take for
 * something else, such as a header that is there twice or goes over two lines, is for Node's own to read.
 */
export function plainPutOf(bytes: Buffer): PlainPut | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 || end > headBytesMax) return null;
  const [, target, lines] = putHead.exec(bytes.toString('latin1', 0, end)) ?? [];
  if (target === undefined || lines === undefined) return null;
  const headers = headersOf(lines);
  const length = headers?.get('content-length');
  if (headers === null || length === undefined || !/^\d{1,9}$/.test(length)) return null;
  if (!isPlainHost(headers.get('host') ?? '')) return null;
  return { target, headers, valueAt: end + 4, valueBytes: Number(length) };
}

/** Whether this server takes it; why not is for the application to say. */
export function isWelcome(
  { headers, valueBytes }: PlainPut,
  { closing, hosts, limits }: KvServices,
): boolean {
  const host = headers.get('host');
  if (closing.aborted || host === undefined || valueBytes > limits.valueBytesMax) return false;
  return hostProblem({ host, origin: headers.get('origin') }, hosts) === null;
}

/** Carries it out. Resolves with the answer in full, but for what it says of the connection: a head, and after that a body. */
export async function answerPut(
  { target, headers }: PlainPut,
  value: Uint8Array,
  services: KvServices,
): Promise<readonly [head: string, body: string]> {
  const { path, query } = splitTarget(target);
  try {
    const key = keyIn(path, '/kv/', services.limits.keyBytesMax);
    const idempotency = { key: headers.get(keyName), lowest: headers.get(lowestName) };
    const asked = { query: new Query(query), idempotency };
    return jsonAnswer(200, await written(services, { type: 'put', key, value }, asked));
  } catch (error) {
    const answer = refusalOf(error, { method: 'PUT', path }, services.logger);
    return jsonAnswer(answer.status, answer.body, answer.headers);
  }
}

/** Longer heads are for Node, which says that they are too long, or not. */
const headBytesMax = 8 * 1024;

/** Paths without what some take for another character than it is, such as a backslash, and headers of one line each, without tabs. */
const putHead =
  /^PUT (\/kv\/[\w.~%!$&'()*+,;=:@/-]+(?:\?[\w.~%!$&'()*+,;=:@/?-]*)?) HTTP\/1\.1((?:\r\n[\w-]+:[\x20-\x7e]*)+)$/;

/** `null` if one of them is there twice, or says how the rest of the connection is to be read. */
function headersOf(lines: string): ReadonlyMap<string, string> | null {
  const headers = new Map<string, string>();
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(':', at);
    const next = lines.indexOf('\r', colon);
    const end = next < 0 ? lines.length : next;
    const name = lines.slice(at + 2, colon).toLowerCase();
    const value = lines.slice(colon + 1, end).trim();
    const isPlain = !ruling.has(name) || (name === 'connection' && value.toLowerCase() === 'keep-alive');
    if (!isPlain || headers.has(name)) return null;
    headers.set(name, value);
    at = end;
  }
  return headers;
}

/** Whether a URL with this host says the same: of all others the application finds out what is wrong with them, if anything. */
function isPlainHost(host: string): boolean {
  if (host === lastPlainHost) return true;
  const url = `http://${host}`;
  if (!URL.canParse(url) || new URL(url).host !== host) return false;
  lastPlainHost = host;
  return true;
}

/** The last that was found to be one: most requests name the same. */
let lastPlainHost = 'localhost';

/** Headers that rule how a message is read, or what else its connection is for. */
const ruling = new Set([
  'connection',
  'expect',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const keyName = keyHeader.toLowerCase();
const lowestName = lowestHeader.toLowerCase();

function jsonAnswer(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): readonly [head: string, body: string] {
  const text = JSON.stringify(body);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  return [`${head}Content-Length: ${Buffer.byteLength(text)}\r\nDate: ${dateNow()}\r\n`, text];
}

let secondsOfDate = 0;
let date = '';

/** What a `Date` header says now. It is put into words once a second. */
function dateNow(): string {
  const seconds = Math.floor(Date.now() / 1000);
  if (seconds !== secondsOfDate) {
    secondsOfDate = seconds;
    date = new Date(seconds * 1000).toUTCString();
  }
  return date;
}
