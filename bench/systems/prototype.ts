import { join } from 'node:path';
import { freePorts } from '../harness/free-ports.ts';
import { OrderedProcess } from '../harness/ordered-process.ts';
import type { LoadOrders } from '../load/closed-loop.ts';
import { LoadProcess } from '../load/load-process.ts';
import type { PrototypeOptions, PrototypeOrders } from '../prototype/prototype-node.ts';
import { drivenBy } from './driven.ts';
import { usageOf } from './rxraft-embedded.ts';
import type { Driver, RunningSystem, System } from './system.ts';

type PrototypeProcess = OrderedProcess<PrototypeOrders, PrototypeOptions>;

const script = new URL('../prototype/prototype-node.js', import.meta.url);

/** The measured ceiling: a bare leader and two followers, driven from within the leader or by clients. */
export function prototype(driver: Exclude<Driver, 'http'>): System {
  return {
    name: 'prototype',
    driver,
    flushes: 'flushed by a majority before it is answered; counted: two for each commit of LMDB',
    missing: () => null,
    operations: ['write', 'read', 'mixed'],
    async start(folder, bytes): Promise<RunningSystem> {
      const [port = 0] = await freePorts(1);
      const paths = ['leader', 'follower-1', 'follower-2'].map((name) => join(folder, name));
      const nodes = paths.map((path, at): PrototypeProcess => {
        const role = at === 0 ? 'leader' : 'follower';
        return new OrderedProcess(role, script, { role, path, port, valueBytes: bytes - 4 });
      });
      const [leader] = nodes as [PrototypeProcess];
      for (const node of nodes) await node.start();
      await leader.do('ready');
      const load =
        driver === 'embedded'
          ? null
          : await LoadProcess.start('prototype', [`ws://127.0.0.1:${port}`], bytes);
      return {
        ...drivenBy((load ?? leader) as Pick<OrderedProcess<LoadOrders, never>, 'do'>),
        usage: usageOf(nodes, paths),
        end: async () => void (await Promise.all([load, ...nodes].map((each) => each?.kill()))),
      };
    },
  };
}
