/**
 * `npm run bench:catch-up`: a follower that is far behind catches up while the cluster is under load.
 *
 * Three nodes, each a process, written to from within the leader's process. First the most that it takes; then half of
 * that, on three nodes, on two, and while a follower comes back that lacks a million entries: several times, since the
 * machine has its moods.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { leads, NodeProcess } from './embedded/node-process.ts';
import { atExit } from './harness/at-exit.ts';
import { freePorts } from './harness/free-ports.ts';
import { positiveCount } from './harness/options.ts';
import { mebibytes, printBar, printMachine, short, spread } from './harness/report.ts';
import { until } from './harness/until.ts';

const { values } = parseArgs({
  options: {
    entries: { type: 'string', default: '1000000' },
    outstanding: { type: 'string', default: '1000' },
    bytes: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '5' },
  },
});
const entries = positiveCount('entries', values.entries);
const outstanding = positiveCount('outstanding', values.outstanding);
const rounds = positiveCount('rounds', values.rounds);
const shape = { keys: 1_000, valueBytes: positiveCount('bytes', values.bytes) - 4 };
/** Writes before anything is measured, and writes of one measurement of the maximum. */
const warmUp = 50_000;
const sample = 200_000;
const samples = 5;
/** How long the load is watched before the follower comes back. */
const beforeMs = 10_000;
const lookMs = 20;
/** The most that the leader had, in bytes. */
const memory = { 'its own': 0, 'with pages of its store': 0 };

/** What one round came to. */
interface Round {
  /** Entries that the follower lacked. */
  readonly lag: number;
  readonly seconds: number;
  readonly entriesPerSecond: number;
  readonly writesPerSecond: number;
  /** Writes that were served, of those offered. */
  readonly servedShare: number;
  /** Medians. */
  readonly threeNodesMs: number;
  readonly twoNodesMs: number;
  readonly meanwhileMs: number;
  readonly meanwhileP99Ms: number;
  readonly elections: number;
}

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
console.log(`offered: ${short(offered)} writes/s, in ${rounds} rounds`);
const seen: Round[] = [];
for (let at = 1; at <= rounds; at++) {
  const round = await lagAndCatchUp();
  seen.push(round);
  console.log(
    `round ${at}: ${short(round.lag)} entries behind, caught up in ${short(round.seconds)} s, ` +
      `${short(round.entriesPerSecond)} entries/s while ${short(round.writesPerSecond)} writes/s were served; ` +
      `median latency ${short(round.threeNodesMs)} ms with three nodes, ${short(round.twoNodesMs)} ms with two, ` +
      `${short(round.meanwhileMs)} ms meanwhile (99 % within ${short(round.meanwhileP99Ms)} ms): ` +
      `${short(round.meanwhileMs / round.threeNodesMs)} times that of three; ` +
      `${short(100 * round.servedShare)} % served, ${round.elections} elections`,
  );
}
for (const [what, bytes] of Object.entries(memory))
  console.log(`memory of the leader, ${what}: at most ${mebibytes(bytes)} while a follower caught up`);
const median = (of: (round: Round) => number): number => spread(seen.map(of)).median;
printBar({
  what: 'catch-up rate / write rate',
  figure: median(({ entriesPerSecond, writesPerSecond }) => entriesPerSecond / writesPerSecond),
  unit: '',
  must: 'atLeast',
  limit: 3,
});
printBar({
  what: 'served, in the worst round',
  figure: Math.min(...seen.map(({ servedShare }) => 100 * servedShare)),
  unit: ' %',
  must: 'atLeast',
  limit: 95,
});
printBar({
  what: 'median latency, by that of three nodes',
  figure: median(({ meanwhileMs, threeNodesMs }) => meanwhileMs / threeNodesMs),
  unit: '',
  must: 'below',
  limit: 2,
});
console.log(
  `median latency, by that of two nodes: ${short(median(({ meanwhileMs, twoNodesMs }) => meanwhileMs / twoNodesMs))}`,
);
printBar({
  what: 'elections while it caught up, in all rounds',
  figure: seen.reduce((sum, { elections }) => sum + elections, 0),
  unit: '',
  must: 'below',
  limit: 1,
});
process.exit();

/** One round: the load on three nodes, on two, and while the third catches up again. */
async function lagAndCatchUp(): Promise<Round> {
  await beginLoad();
  await pause(beforeMs);
  const healthy = await leader.do('window');
  await leader.do('end');

  await follower.stop();
  await leader.do('flood', entries, outstanding);
  await beginLoad();
  await pause(beforeMs);
  const before = await leader.do('window');
  const { term } = await leader.do('status');

  await leader.do('memory');
  const { lag } = await progress();
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
  noteMemory(await leader.do('memory'));
  await leader.do('end');
  const terms = await Promise.all(nodes.map(async (node) => (await node.do('status')).term));
  return {
    lag,
    seconds,
    entriesPerSecond: (to.matchIndex - from.matchIndex) / seconds,
    writesPerSecond: during.served / during.seconds,
    servedShare: during.served / during.offered,
    threeNodesMs: healthy.medianMs,
    twoNodesMs: before.medianMs,
    meanwhileMs: during.medianMs,
    meanwhileP99Ms: during.p99Ms,
    elections: Math.max(...terms) - term,
  };
}

function noteMemory({ own, resident }: { readonly own: number; readonly resident: number }): void {
  memory['its own'] = Math.max(memory['its own'], own);
  memory['with pages of its store'] = Math.max(memory['with pages of its store'], resident);
}

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
