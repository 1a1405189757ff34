/** The process of a node that a benchmark drives by messages: `raftNode` with LMDB and WebSockets, and no HTTP. */
import { raftNode } from 'rxraft';
import { lmdbStorage } from 'rxraft/storage';
import { wsTransport } from 'rxraft/transport';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import { ClosedLoop } from '../load/closed-loop.ts';
import { benchMachine } from './bench-machine.ts';
import { Load } from './load.ts';
import { LoopWatch } from './loop-watch.ts';
import { MemoryWatch } from './memory-watch.ts';
import { NodeClient } from './node-client.ts';
import type { BenchNodeOptions, Orders } from './orders.ts';
import { TimerWatch } from './timer-watch.ts';

const { id, path, port, members, shape, ...snapshots } = await firstOrder<BenchNodeOptions>();
const node = await raftNode({
  id,
  machine: benchMachine(),
  storage: lmdbStorage({ path, nodeId: id }),
  transport: wsTransport({ listen: { port } }),
  members,
  ...snapshots,
});
node.closed.catch((error: unknown) => {
  console.error(`${id} had to stop:`, error);
  process.exit(1);
});

// Each watches from the first time it is asked, and costs nothing before.
const memoryWatch = new MemoryWatch();
const timerWatch = new TimerWatch(node);
const loopWatch = new LoopWatch();
const load = new Load(node, shape);
const loop = new ClosedLoop(new NodeClient(node, shape.valueBytes));
const orders: Orders = {
  status: () => node.status(),
  memory: () => memoryWatch.take(),
  timer: () => timerWatch.take(),
  flood: (count, outstanding) => load.flood(count, outstanding),
  begin: (perSecond) => load.begin(perSecond),
  openWindow: () => load.openWindow(),
  window: () => load.window(),
  end: () => load.end(),
  startLoop: (operation, outstanding) => loop.startLoop(operation, outstanding),
  sample: (ms) => loop.sample(ms),
  stopLoop: () => loop.stopLoop(),
  loopDelay: () => loopWatch.take(),
  snapshot: () => node.snapshot({ timeoutMs: 60_000 }),
  transfer: (to) => node.transferLeadership(to),
  close: () => node.close(),
};

serveOrders<Orders>(orders);
