/** The process of one node of the prototype. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { WebSocket, WebSocketServer } from 'ws';
import { benchCommand } from '../embedded/bench-machine.ts';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import { until } from '../harness/until.ts';
import type { Client } from '../load/client.ts';
import { ClosedLoop, type LoadOrders } from '../load/closed-loop.ts';
import { serveClient } from './client-server.ts';
import { PrototypeFollower } from './follower.ts';
import { PrototypeLeader } from './leader.ts';
import { PrototypeStore } from './store.ts';

/** How a node of the prototype is put together: the first message that its process gets. */
export interface PrototypeOptions {
  readonly role: 'leader' | 'follower';
  readonly path: string;
  /** Where the leader listens. */
  readonly port: number;
  readonly valueBytes: number;
}

/** What a node of the prototype can be told to do. */
export interface PrototypeOrders extends LoadOrders {
  /** Resolves when the leader hears both followers. */
  ready(): Promise<void>;
}

/** As the transport of the library sets them. */
const webSocketOptions = { perMessageDeflate: false, allowSynchronousEvents: true, maxPayload: 64 * 2 ** 20 };

const { role, path, port, valueBytes } = await firstOrder<PrototypeOptions>();
mkdirSync(path, { recursive: true });
const store = new PrototypeStore(path);
serveOrders<Partial<PrototypeOrders>>(role === 'leader' ? await lead() : await follow());

async function lead(): Promise<PrototypeOrders> {
  const leader = new PrototypeLeader(store);
  const server = new WebSocketServer({ ...webSocketOptions, host: '127.0.0.1', port });
  server.on('connection', (socket, { url }) => {
    if (url === '/follower') leader.addFollower(socket);
    else serveClient(socket, leader, store);
  });
  await once(server, 'listening');
  const loop = new ClosedLoop(clientOf(leader));
  return {
    ready: async () => void (await until('both followers are there', () => leader.followers === 2)),
    startLoop: (operation, outstanding) => loop.startLoop(operation, outstanding),
    sample: (ms) => loop.sample(ms),
    stopLoop: () => loop.stopLoop(),
  };
}

/** A follower is told nothing but what its leader sends. */
async function follow(): Promise<Partial<PrototypeOrders>> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/follower`, {
    ...webSocketOptions,
    generateMask: (mask) => void mask.fill(0), // As ours: `ws` then leaves the mask out.
  });
  new PrototypeFollower(store, socket);
  await once(socket, 'open');
  return {};
}

/** The proposer within the leader's process. */
function clientOf(leader: PrototypeLeader): Client {
  return {
    write: (key, done) => leader.propose(benchCommand(key, valueBytes), () => done(true)),
    read: (key, _, done) =>
      leader.read(() => {
        store.get(benchCommand(key, 0));
        done(true);
      }),
    close: () => undefined,
  };
}
