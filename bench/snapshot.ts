/**
 * `npm run bench:snapshot`: a large state moves to a follower by snapshot, over a connection that is cut on the way.
 *
 * Three nodes, each a process. One is stopped, the state grows, and the log before it is dropped: when the node
 * comes back only a snapshot helps it. It is reached through a proxy, which cuts its connections twice.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { leads, NodeProcess } from './embedded/node-process.ts';
import { atExit } from './harness/at-exit.ts';
import { CutProxy } from './harness/cut-proxy.ts';
import { freePorts } from './harness/free-ports.ts';
import { positive } from './harness/options.ts';
import { mebibytes, printBar, printMachine, short } from './harness/report.ts';
import { until } from './harness/until.ts';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    cuts: { type: 'string', default: '2' },
  },
});
const megabyte = 1_000_000;
const stateBytes = positive('megabytes', values.megabytes) * megabyte;
const cuts = Number(values.cuts);
const valueBytes = 10_000;
const shape = { keys: Math.ceil(stateBytes / valueBytes), valueBytes };
const outstanding = 64;
const lookMs = 5;

const folder = mkdtempSync(join(tmpdir(), 'rxraft-bench-'));
atExit(() => rmSync(folder, { recursive: true, force: true }));
const ids = ['n1', 'n2', 'n3'];
const ports = await freePorts(ids.length + 1);
const [, , behind = 0, front = 0] = ports;
/** The others reach the last node through the proxy. */
const proxy = new CutProxy(front, behind);
await proxy.open();
const members = ids.map((id, at) => ({ id, url: `ws://127.0.0.1:${id === 'n3' ? front : ports[at]}` }));
const nodes = ids.map(
  (id, at) =>
    new NodeProcess({
      id,
      path: join(folder, id),
      port: ports[at] as number,
      members,
      // A snapshot is taken when this benchmark says so.
      snapshotEntries: 1_000_000_000,
      snapshotBytes: 2 ** 40,
      shape,
    }),
);
const [leader, other, follower] = nodes as [NodeProcess, NodeProcess, NodeProcess];

printMachine();
await Promise.all(nodes.map((node) => node.start()));
await leads(leader, nodes);
await follower.stop();
const filling = performance.now();
await leader.do('flood', shape.keys, outstanding);
console.log(`state: ${short(stateBytes / megabyte)} MB, written in ${secondsSince(filling)} s`);
await leader.do('snapshot');
const { term, firstIndex, lastIndex } = await leader.do('status');
console.log(`the log of the leader begins at ${short(firstIndex)}, and ends at ${short(lastIndex)}`);
await Promise.all([leader.do('memory'), other.do('timer')]);

const bytesBefore = proxy.bytes;
const startedAt = performance.now();
await follower.start();
await follower.do('timer');
for (let cut = 1; cut <= cuts; cut++) {
  await until('the next part is on its way', () => moved() > (cut * stateBytes) / (cuts + 1), {
    pollMs: lookMs,
    timeoutMs: 600_000,
  });
  proxy.cut();
  console.log(`cut after ${short(moved() / megabyte)} MB and ${secondsSince(startedAt)} s`);
}
await until(
  'the follower has the state',
  async () => {
    const status = await follower.do('status');
    return status.snapshotIndex > 0 && status.lastApplied >= lastIndex;
  },
  { timeoutMs: 600_000 },
);
const seconds = (performance.now() - startedAt) / 1000;
const resent = Math.max(0, moved() / stateBytes - 1);
const parts = proxy.carried(megabyte).map((bytes) => short(bytes / megabyte));
console.log(
  `${short(moved() / megabyte)} MB moved in ${short(seconds)} s, by connection: ${parts.join(', ')} MB`,
);
const memory = await leader.do('memory');
console.log(
  `memory of the leader's own: at most ${mebibytes(memory.own)}; with pages of its store ${mebibytes(memory.resident)}`,
);

printBar({
  what: 'sent again after cuts',
  figure: 100 * resent,
  unit: ' % of the state',
  must: 'below',
  limit: 10,
});
const terms = await Promise.all(nodes.map(async (node) => (await node.do('status')).term));
printBar({ what: 'elections', figure: Math.max(...terms) - term, unit: '', must: 'below', limit: 1 });
for (const node of [other, follower]) {
  const { elapsedMs, timeoutMs } = await node.do('timer');
  console.log(`election timer of ${node.id}: at most ${short(elapsedMs)} ms of ${short(timeoutMs)} ms`);
  const figure = (100 * elapsedMs) / timeoutMs;
  printBar({ what: `election timer of ${node.id}`, figure, unit: ' %', must: 'below', limit: 50 });
}
process.exit();

/** Bytes that went to the follower since it came back. */
function moved(): number {
  return proxy.bytes - bytesBefore;
}

function secondsSince(from: number): string {
  return short((performance.now() - from) / 1000);
}
