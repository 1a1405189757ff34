/** The process of a load's clients. */
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import type { Client } from './client.ts';
import { ClosedLoop, type LoadOrders, type Sample } from './closed-loop.ts';
import { etcdClient } from './etcd-client.ts';
import { httpClient } from './http-client.ts';
import type { ClientKind, LoadOptions } from './load-process.ts';
import { natsClient } from './nats-client.ts';
import { prototypeClient } from './prototype-client.ts';
import { rxraftClient } from './rxraft-client.ts';

const clients: Record<ClientKind, (options: LoadOptions) => Promise<Client>> = {
  rxraft: rxraftClient,
  prototype: prototypeClient,
  etcd: etcdClient,
  'etcd-http': httpClient('etcd'),
  'rxraft-http': httpClient('rxraft'),
  nats: natsClient,
};

const options = await firstOrder<LoadOptions>();
const loop = new ClosedLoop(await clients[options.kind](options));
async function sample(ms: number): Promise<Sample> {
  const before = process.cpuUsage();
  const taken = await loop.sample(ms);
  const { user, system } = process.cpuUsage(before);
  return { ...taken, clientsCpuMs: (user + system) / 1000 };
}

serveOrders<LoadOrders>({
  startLoop: (operation, outstanding) => loop.startLoop(operation, outstanding),
  sample,
  stopLoop: () => loop.stopLoop(),
});
