/**
 * `npm run bench:catch-up`: a follower that is far behind catches up while the cluster is under load.
 *
 * Three nodes, each a process, written to from within the leader's process. First the most that it takes; then half of
 * that, on three nodes, on two, and while a follower comes back that lacks a million entries.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { leads, NodeProcess } from './embedded/node-process.ts';
import { atExit } from './harness/at-exit.ts';
import { freePorts } from './harness/free-ports.ts';
import { mebibytes, printBar, printMachine, short, spread } from './harness/report.ts';
import { until } from './harness/until.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    outstanding: { type: 'string', default: '1000' },
    bytes: { type: 'string', default: '128' },
  },
});
const entries = Number(values.entries);
const outstanding = Number(values.outstanding);
const shape = { keys: 1_000, valueBytes: Number(values.bytes) - 4 };
/** Writes before anything is measured, and writes of one measurement of the maximum. */
const warmUp = 50_000;
const sample = 200_000;
const samples = 5;
/** How long the load is watched before the follower comes back. */
const beforeMs = 10_000;
const lookMs = 20;

const folder = mkdtempSync(join(tmpdir(), 'rxraft-bench-'));
atExit(() => rmSync(folder, { recursive: true, force: true }));
const ids = ['n1', 'n2', 'n3'];
const ports = await freePorts(ids.length);
const members = ids.map((id, at) => ({ id, url: `ws://127.0.0.1:${ports[at]}` }));
const nodes = ids.map(
  (id, at) =>
    new NodeProcess({
      id,
      path: join(folder, id),
      port: ports[at] as number,
      members,
      // No snapshot: the follower has to get every entry.
      snapshotEntries: 1_000_000_000,
      snapshotBytes: 2 ** 40,
      shape,
    }),
);
const [leader, , follower] = nodes as [NodeProcess, NodeProcess, NodeProcess];

printMachine();
await Promise.all(nodes.map((node) => node.start()));
await leads(leader, nodes);
await leader.do('flood', warmUp, outstanding);
const rates: number[] = [];
for (let at = 0; at < samples; at++) rates.push(await leader.do('flood', sample, outstanding));
const maximum = spread(rates).median;
console.log(`maximum: ${short(maximum)} writes/s of ${values.bytes} bytes, ${outstanding} outstanding`);

const offered = maximum / 2;
await beginLoad();
await pause(beforeMs);
const healthy = await leader.do('window');
await leader.do('end');

await follower.stop();
await leader.do('flood', entries, outstanding);
await beginLoad();
const memoryBefore = await leader.do('memory');
await pause(beforeMs);
const before = await leader.do('window');
const { term } = await leader.do('status');
console.log(
  `offered: ${short(offered)} writes/s; median ${short(healthy.medianMs)} ms with three nodes, ` +
    `${short(before.medianMs)} ms with two`,
);

await leader.do('memory');
const lagAtStart = (await progress()).lag;
await follower.start();
await until('the follower is heard of', async () => (await progress()).isReached, { pollMs: lookMs });
await leader.do('openWindow');
const from = await progress();
const startedAt = performance.now();
await until('the follower has caught up', async () => (await progress()).lag < offered / 10, {
  pollMs: lookMs,
  timeoutMs: 600_000,
});
const to = await progress();
const seconds = (performance.now() - startedAt) / 1000;
const during = await leader.do('window');
const memory = await leader.do('memory');
await leader.do('end');
const terms = await Promise.all(nodes.map(async (node) => (await node.do('status')).term));

const rate = (to.matchIndex - from.matchIndex) / seconds;
const writeRate = during.served / during.seconds;
console.log(`the follower was ${short(lagAtStart)} entries behind, and caught up in ${short(seconds)} s`);
console.log(`catch-up: ${short(rate)} entries/s, while ${short(writeRate)} writes/s were served`);
console.log(`during: median ${short(during.medianMs)} ms, 99 % within ${short(during.p99Ms)} ms`);
console.log(
  `memory of the leader's own: ${mebibytes(memoryBefore.own)} before, at most ${mebibytes(memory.own)} during`,
);
console.log(
  `with pages of its store: ${mebibytes(memoryBefore.resident)} before, at most ${mebibytes(memory.resident)} during`,
);
printBar({
  what: 'catch-up rate / write rate',
  figure: rate / writeRate,
  unit: '',
  must: 'atLeast',
  limit: 3,
});
const share = (100 * during.served) / during.offered;
printBar({ what: 'served', figure: share, unit: ' %', must: 'atLeast', limit: 95 });
const growth = during.medianMs / healthy.medianMs;
printBar({
  what: 'median latency, by that of three nodes',
  figure: growth,
  unit: '',
  must: 'below',
  limit: 2,
});
console.log(`median latency, by that of two nodes: ${short(during.medianMs / before.medianMs)}`);
printBar({ what: 'elections', figure: Math.max(...terms) - term, unit: '', must: 'below', limit: 1 });
process.exit();

/** Offers the load, and counts once it has settled. */
async function beginLoad(): Promise<void> {
  await leader.do('begin', offered);
  await pause(beforeMs / 5);
  await leader.do('openWindow');
}

/** How far the follower is, as the leader sees it. */
async function progress(): Promise<{ isReached: boolean; matchIndex: number; lag: number }> {
  const { peers } = await leader.do('status');
  const peer = peers.find(({ id }) => id === follower.id);
  if (peer === undefined) throw new Error(`${leader.id} does not lead any more`);
  const { state, matchIndex, lag } = peer;
  return { isReached: state === 'replicate' || state === 'probe', matchIndex, lag };
}
