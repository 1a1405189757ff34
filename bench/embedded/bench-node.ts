/** The process of a node that a benchmark drives by messages: `raftNode` with LMDB and WebSockets, and no HTTP. */
import { readFileSync } from 'node:fs';
import { raftNode } from 'rxraft';
import { lmdbStorage } from 'rxraft/storage';
import { wsTransport } from 'rxraft/transport';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import { ClosedLoop } from '../load/closed-loop.ts';
import { benchMachine } from './bench-machine.ts';
import { Load } from './load.ts';
import { LoopWatch } from './loop-watch.ts';
import { NodeClient } from './node-client.ts';
import type { BenchNodeOptions, MemoryFigures, Orders, TimerFigures } from './orders.ts';

const memoryLookMs = 50;

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

let memoryMax = memoryNow();
setInterval(() => {
  const { resident, own } = memoryNow();
  memoryMax = { resident: Math.max(memoryMax.resident, resident), own: Math.max(memoryMax.own, own) };
}, memoryLookMs).unref();

const unstarted: TimerFigures = { elapsedMs: 0, timeoutMs: 1 };
let worst = unstarted;
node.state$.subscribe(({ role, electionElapsedMs: elapsedMs, electionTimeoutMs: timeoutMs }) => {
  const isFollowing = role.type === 'follower' && role.leader !== null;
  if (isFollowing && elapsedMs / timeoutMs > worst.elapsedMs / worst.timeoutMs)
    worst = { elapsedMs, timeoutMs };
});

const load = new Load(node, shape);
const loopWatch = new LoopWatch();
const loop = new ClosedLoop(new NodeClient(node, shape.valueBytes));
const orders: Orders = {
  status: () => node.status(),
  memory: () => {
    const highest = memoryMax;
    memoryMax = memoryNow();
    return highest;
  },
  timer: () => {
    const highest = worst;
    worst = unstarted;
    return highest;
  },
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

function memoryNow(): MemoryFigures {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024;
  return { resident: bytesOf('VmRSS'), own: bytesOf('RssAnon') };
}
