import type { Client, Done } from './client.ts';
import { HttpConnection } from './http-connection.ts';
import type { LoadOptions } from './load-process.ts';

type Consistency = 'read' | 'session' | 'stale';

/** How a store speaks HTTP. */
interface Dialect {
  write(key: number, value: string): Request;
  read(key: number, consistency: Consistency): Request;
}

interface Request {
  readonly line: string;
  readonly body: string;
}

const rxraft: Dialect = {
  write: (key, value) => ({ line: `PUT /kv/${key}`, body: value }),
  read: (key, consistency) => ({
    line: `GET /kv/${key}${consistency === 'read' ? '' : `?consistency=${consistency}`}`,
    body: '',
  }),
};

/** The gateway from JSON to gRPC that etcd has built in. */
const etcd: Dialect = {
  write: (key, value) => ({
    line: 'POST /v3/kv/put',
    body: JSON.stringify({ key: base64(String(key)), value: base64(value) }),
  }),
  read: (key, consistency) => ({
    line: 'POST /v3/kv/range',
    body: JSON.stringify({ key: base64(String(key)), serializable: consistency !== 'read' }),
  }),
};

/**
 * Clients over HTTP: a connection for each caller, as a web application has them. A request is put into words once for
 * each key, so that the processor's time goes to the store and not to its clients.
 */
export function httpClient(dialect: 'rxraft' | 'etcd'): (options: LoadOptions) => Promise<Client> {
  return async ({ urls: [url = ''], bytes }) => {
    const { write, read } = dialect === 'etcd' ? etcd : rxraft;
    const connections = new Map<number, HttpConnection>();
    const open = async (caller: number): Promise<HttpConnection> => {
      const connection = await HttpConnection.open(url);
      connections.set(caller, connection);
      return connection;
    };
    const ask = (request: string, done: Done, caller: number): void => {
      const connection = connections.get(caller);
      if (connection === undefined || connection.isClosed)
        void open(caller).then((opened) => opened.ask(request, done));
      else connection.ask(request, done);
    };
    const writes = oncePerKey((key) => write(key, String.fromCharCode(97 + (key % 26)).repeat(bytes - 4)));
    const reads = {
      read: oncePerKey((key) => read(key, 'read')),
      session: oncePerKey((key) => read(key, 'session')),
      stale: oncePerKey((key) => read(key, 'stale')),
    };
    return {
      write: (key, done, caller) => ask(writes(key), done, caller),
      read: (key, consistency, done, caller) => ask(reads[consistency](key), done, caller),
      close: () => undefined,
    };
  };
}

/** The request for each key in words, kept for when the key's turn comes again. */
function oncePerKey(requestOf: (key: number) => Request): (key: number) => string {
  const texts: string[] = [];
  return (key) => {
    const known = texts[key];
    if (known !== undefined) return known;
    const { line, body } = requestOf(key);
    const text = `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    texts[key] = text;
    return text;
  };
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}
