import type { Client, Done } from './client.ts';
import { HttpConnection } from './http-connection.ts';
import type { LoadOptions } from './load-process.ts';

/** How a store speaks HTTP. */
interface Dialect {
  write(key: number, value: string): Request;
  read(key: number, consistency: 'read' | 'session' | 'stale'): Request;
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

/** Clients over HTTP: a connection for each request that is outstanding, as a web application has them. */
export function httpClient(dialect: 'rxraft' | 'etcd'): (options: LoadOptions) => Promise<Client> {
  return async ({ urls: [url = ''], bytes }) => {
    const { write, read } = dialect === 'etcd' ? etcd : rxraft;
    const idle: HttpConnection[] = [];
    const ask = ({ line, body }: Request, done: Done): void => {
      const head = `${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
      void take(idle, url).then((connection) =>
        connection.ask(Buffer.from(head + body, 'latin1'), (isServed) => {
          idle.push(connection);
          done(isServed);
        }),
      );
    };
    return {
      write: (key, done) => ask(write(key, String.fromCharCode(97 + (key % 26)).repeat(bytes - 4)), done),
      read: (key, consistency, done) => ask(read(key, consistency), done),
      close: () => undefined,
    };
  };
}

async function take(idle: HttpConnection[], url: string): Promise<HttpConnection> {
  return idle.pop() ?? (await HttpConnection.open(url));
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}
