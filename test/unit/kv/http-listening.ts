import { connect, type Socket } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { listenHttp } from '../../../examples/kv/http/http-server.ts';
import { fakeServer } from './builders.ts';

/** The server over a fake node, whose values have 1,024 bytes at most, and connections to it. */
export async function listening(options: Parameters<typeof fakeServer>[0] = {}) {
  const { services, closing, asked, logged, failWith, setAge } = await fakeServer(options);
  const server = await listenHttp(services, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  const sockets: (Socket & { parser?: unknown })[] = [];
  server.server.on('connection', (socket) => void sockets.push(socket));
  let read = 0;
  server.server.on('request', () => void read++);
  const port = Number(new URL(server.url).port);
  return {
    asked,
    logged,
    failWith,
    setAge,
    url: server.url,
    server: server.server,
    dial: (encoding: BufferEncoding = 'utf8') => connectionTo(port, encoding),
    /** How many of the connections that are open Node has, and not we ourselves. */
    heldByNode: () => sockets.filter(({ parser }) => (parser ?? null) !== null).length,
    /** How many requests Node has read, and not we ourselves. */
    readByNode: () => read,
    close: () => {
      closing.abort();
      return server.close();
    },
  };
}

/** A TCP connection, and all that has come over it. */
function connectionTo(port: number, encoding: BufferEncoding) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).setEncoding(encoding);
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.on('data', (part: string) => {
    received += part;
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once('end', () => resolve(socket.end() && undefined));
    socket.once('close', () => resolve());
  });
  return {
    closed,
    socket,
    send: (text: string) => void socket.write(text, 'latin1'),
    received: () => received,
    until: (isWanted: (text: string) => boolean) =>
      vi.waitUntil(() => isWanted(received), { timeout: 10_000, interval: 5 }),
    statuses: () => [...received.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status)),
    /** The body of the last answer. */
    json: () => JSON.parse(received.slice(received.lastIndexOf('\r\n\r\n'))),
  };
}

/** Lets the server do what it can with what it has. */
export async function settled(url: string): Promise<void> {
  for (let count = 0; count < 5; count++) await (await fetch(`${url}/livez`)).text();
}
