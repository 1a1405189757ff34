import { join } from 'node:path';
import { leads } from '../embedded/node-process.ts';
import { freePorts } from '../harness/free-ports.ts';
import { OrderedProcess } from '../harness/ordered-process.ts';
import { LoadProcess } from '../load/load-process.ts';
import type { ServedOptions, ServedOrders } from '../served/served-node.ts';
import { drivenBy } from './driven.ts';
import { usageOf } from './rxraft-embedded.ts';
import type { RunningSystem, System } from './system.ts';

const ids = ['n1', 'n2', 'n3'];
const script = new URL('../served/served-node.js', import.meta.url);

/**
 * Nodes with default settings, and clients of `rxraft/client`. The machine is that of the prototype; with sessions, it
 * also remembers what was applied, which neither etcd nor the prototype does.
 */
export function rxraftClients(hasSessions: boolean): System {
  return {
    name: hasSessions ? 'rxraft with sessions' : 'rxraft',
    driver: 'clients',
    flushes: 'flushed by a majority before it is answered; counted: two for each commit of LMDB',
    missing: () => null,
    operations: ['write', 'read', 'session', 'stale', 'mixed'],
    async start(folder, bytes): Promise<RunningSystem> {
      const ports = await freePorts(2 * ids.length);
      const members = ids.map((id, at) => ({ id, url: `ws://127.0.0.1:${ports[2 * at]}` }));
      const paths = ids.map((id) => join(folder, id));
      const nodes = ids.map((id, at) => {
        const [port = 0, clientPort = 0] = ports.slice(2 * at);
        const path = paths[at] as string;
        const options = { id, path, port, clientPort, members, hasSessions };
        return new OrderedProcess<ServedOrders, ServedOptions>(id, script, options);
      });
      await Promise.all(nodes.map((node) => node.start()));
      await leads(nodes[0] as OrderedProcess<ServedOrders, ServedOptions>, nodes);
      const load = await LoadProcess.start('rxraft', [`ws://127.0.0.1:${ports[1]}/client`], bytes);
      return {
        ...drivenBy(load),
        usage: usageOf(nodes, paths),
        end: async () => void (await Promise.all([load, ...nodes].map((each) => each.kill()))),
      };
    },
  };
}
