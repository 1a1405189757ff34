import { freePorts } from '../harness/free-ports.ts';
import { ServerCluster } from '../harness/server-process.ts';
import { LoadProcess } from '../load/load-process.ts';
import { drivenBy } from './driven.ts';
import { usageOf } from './rxraft-embedded.ts';
import type { RunningSystem, System } from './system.ts';

const ids = ['n1', 'n2', 'n3'];

/** `rxraft serve` with default settings, three times, and clients over HTTP at the leader. */
export const rxraftHttp: System = {
  name: 'rxraft',
  driver: 'http',
  flushes: 'flushed by a majority before it is answered; counted: two for each commit of LMDB',
  missing: () => null,
  operations: ['write', 'read'],
  async start(_, bytes): Promise<RunningSystem> {
    const ports = await freePorts(2 * ids.length);
    const cluster = new ServerCluster(
      ids.map((id, at) => ({
        id,
        host: '127.0.0.1',
        raftPort: ports[2 * at] as number,
        httpPort: ports[2 * at + 1] as number,
        namespace: null,
      })),
    );
    const { url } = await cluster.begin();
    const load = await LoadProcess.start('rxraft-http', [url], bytes);
    return {
      ...drivenBy(load),
      usage: usageOf(
        cluster.servers,
        cluster.servers.map(({ data }) => data),
      ),
      end: async () => {
        await load.kill();
        await cluster.remove();
      },
    };
  },
};
