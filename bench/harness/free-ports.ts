import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems hand out to outgoing connections, so that none of those sits on the port of a node. */
const range = { from: 18_000, to: 20_000 };

const given = new Set<number>();

/** Ports of 127.0.0.1 that nobody listens on, each given out once. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    found.push(port);
  }
  return found;
}

/** Whether nobody listens on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
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
