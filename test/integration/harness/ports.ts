import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what the system hands out to outgoing connections: such a connection could otherwise sit on the port
 * of a node that is down for a moment, and keep it from starting again.
 */
const range = { from: 10_000, to: 32_000 };

const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, and that is given out once. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
