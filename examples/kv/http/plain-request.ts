/** The head of a `GET` or `PUT /kv/KEY` that has nothing out of the ordinary about it. */
export interface PlainRequest {
  readonly method: 'GET' | 'PUT';
  /** Path and query, as they were sent. */
  readonly target: string;
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Where its body begins, and how long it is: that of a `GET` is empty. */
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/**
 * Reads the head that some bytes begin with. `null` for all but a plain one: what another reader of HTTP might take for
 * something else, such as a header that is there twice or goes over two lines, is for Node's own to read.
 */
export function plainRequestOf(bytes: Buffer): PlainRequest | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0 || end > headBytesMax) return null;
  const [, method, target, lines] = plainHead.exec(bytes.toString('latin1', 0, end)) ?? [];
  if (target === undefined || lines === undefined) return null;
  const headers = headersOf(lines);
  if (headers === null || !isPlainHost(headers.get('host') ?? '')) return null;
  const length = headers.get('content-length');
  if (method === 'GET')
    return length === undefined ? { method, target, headers, bodyAt: end + 4, bodyBytes: 0 } : null;
  if (length === undefined || !/^\d{1,9}$/.test(length)) return null;
  return { method: 'PUT', target, headers, bodyAt: end + 4, bodyBytes: Number(length) };
}

/** Longer heads are for Node, which says that they are too long, or not. */
const headBytesMax = 8 * 1024;

/** Paths without what some take for another character than it is, such as a backslash, and headers of one line each, without tabs. */
const plainHead =
  /^(GET|PUT) (\/kv\/[\w.~%!$&'()*+,;=:@/-]+(?:\?[\w.~%!$&'()*+,;=:@/?-]*)?) HTTP\/1\.1((?:\r\n[\w-]+:[\x20-\x7e]*)+)$/;

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
