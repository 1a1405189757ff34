/** The process of a node that serves clients over WebSockets: `raftNode` with LMDB, and an endpoint for `rxraft/client`. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { bytesCodec, type RaftNode, raftNode, type StateMachine, withSessions } from 'rxraft';
import { lmdbStorage } from 'rxraft/storage';
import { clientEndpoint, wsTransport } from 'rxraft/transport';
import { benchMachine } from '../embedded/bench-machine.ts';
import type { Orders } from '../embedded/orders.ts';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';

/** How a node that serves clients is put together: the first message that its process gets. */
export interface ServedOptions {
  readonly id: string;
  readonly path: string;
  readonly port: number;
  readonly clientPort: number;
  readonly members: readonly { readonly id: string; readonly url: string }[];
  /** Whether a write that is sent again is applied once. */
  readonly hasSessions: boolean;
}

/** What it can be told to do. */
export type ServedOrders = Pick<Orders, 'status' | 'transfer'>;

const { clientPort, hasSessions, ...options } = await firstOrder<ServedOptions>();
const node = hasSessions ? await start(withSessions(benchMachine())) : await start(benchMachine());
serveOrders<ServedOrders>({ status: () => node.status(), transfer: (to) => node.transferLeadership(to) });

/** All settings but those of the places are the default ones. */
async function start<Command, Result>(
  machine: StateMachine<Command, Result, Uint8Array, Uint8Array>,
): Promise<Pick<RaftNode<Command, Result, Uint8Array, Uint8Array>, 'status' | 'transferLeadership'>> {
  const { id, path, port, members } = options;
  const storage = lmdbStorage({ path, nodeId: id });
  const transport = wsTransport({ listen: { port } });
  const started = await raftNode({ id, machine, storage, transport, members });
  const { command, result } = machine;
  const codecs = { command, result, query: bytesCodec, answer: bytesCodec };
  const server = createServer();
  clientEndpoint({ node: started, ...codecs, hasSessions }).attach(server);
  server.listen(clientPort, '127.0.0.1');
  await once(server, 'listening');
  return started;
}
