/**
 * `npm run bench:failover`: how long writes are refused when the leader is lost.
 *
 * Three servers with default settings, each a process, under load. Again and again the leader meets with a fault;
 * the time runs from there to the next acknowledged write that was sent through a survivor.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { defaultConfig } from 'rxraft';
import { freePorts } from './harness/free-ports.ts';
import { ask } from './harness/http.ts';
import { type Namespaces, namespaces } from './harness/namespaces.ts';
import { positiveCount } from './harness/options.ts';
import { printBar, printMachine, short, spread } from './harness/report.ts';
import { ServerCluster, type ServerProcess } from './harness/server-process.ts';

const ids = ['n1', 'n2', 'n3'];
const retryMs = 5;
const writersMax = 16;
/** Between the recovery from one fault and the next fault. */
const restMs = 1_000;
/** How long acknowledgements are watched after a leader that was asked to end has done so. */
const watchMs = 300;
/** How long a leader without a fault is watched; one that was asked to end has done so long before. */
const closeMsMax = 500;
/** A write that is not answered for so long is given up by the client. */
const patienceMs = 10_000;

/** A fault of the leader: what happens to it, how it is undone, and what is expected of the others. */
interface Fault {
  readonly name: string;
  readonly title: string;
  strike(leader: ServerProcess): void;
  undo(leader: ServerProcess): Promise<void>;
  /** `null`: nothing is expected, the figure is there to compare with. */
  readonly bar: { readonly of: 'median' | 'max'; readonly limitMs: number } | null;
  /** Watches for the longest time without an acknowledgement, instead of for the next acknowledgement. */
  readonly isGraceful?: true;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    faults: { type: 'string', default: 'none,kill,stop,close,drop' },
    verbose: { type: 'boolean', default: false },
  },
});
const rounds = positiveCount('rounds', values.rounds);
const wanted = values.faults.split(',');
const twiceTheLongestMs = 2 * defaultConfig.electionTimeoutMsMax;

printMachine();
console.log(`${rounds} rounds of each fault, ${writersMax} writers in the background, times in ms`);
await onLoopback();
if (wanted.includes('drop')) await inNamespaces();
process.exit();

async function onLoopback(): Promise<void> {
  const ports = await freePorts(2 * ids.length);
  const places = ids.map((id, at) => ({
    id,
    host: '127.0.0.1',
    raftPort: ports[2 * at] as number,
    httpPort: ports[2 * at + 1] as number,
    namespace: null,
  }));
  const cluster = new ServerCluster(places);
  const again = async (leader: ServerProcess): Promise<void> => {
    await leader.ended;
    cluster.start(leader);
  };
  const faults: readonly Fault[] = [
    {
      name: 'none',
      title: 'no fault, longest time without an acknowledgement',
      strike: () => undefined,
      undo: async () => undefined,
      bar: null,
      isGraceful: true,
    },
    {
      name: 'kill',
      title: 'SIGKILL',
      strike: (leader) => leader.signal('SIGKILL'),
      undo: again,
      bar: { of: 'median', limitMs: 150 },
    },
    {
      name: 'stop',
      title: 'SIGSTOP',
      strike: (leader) => leader.signal('SIGSTOP'),
      undo: async (leader) => leader.signal('SIGCONT'),
      bar: { of: 'median', limitMs: twiceTheLongestMs },
    },
    {
      name: 'close',
      title: 'SIGTERM, longest time without an acknowledgement',
      strike: (leader) => leader.signal('SIGTERM'),
      undo: again,
      bar: { of: 'max', limitMs: 100 },
      isGraceful: true,
    },
  ];
  const chosen = faults.filter(({ name }) => wanted.includes(name));
  if (chosen.length > 0) await measureAll(cluster, chosen);
}

async function inNamespaces(): Promise<void> {
  const net = namespaces(ids.length);
  if ('problem' in net) {
    console.log(`SKIPPED  dropped packets: it takes root and network namespaces (${net.problem})`);
    return;
  }
  await measureAll(new ServerCluster(placesIn(net)), [dropIn(net)]);
}

function placesIn(net: Namespaces) {
  return net.hosts.map(({ name, address }, at) => ({
    id: ids[at] as string,
    host: address,
    raftPort: 7101,
    httpPort: 8101,
    namespace: name,
  }));
}

function dropIn(net: Namespaces): Fault {
  const hostOf = ({ id }: ServerProcess): string => net.hosts[ids.indexOf(id)]?.name ?? '';
  return {
    name: 'drop',
    title: 'dropped packets',
    strike: (leader) => net.drop(hostOf(leader)),
    undo: async (leader) => net.restore(hostOf(leader)),
    bar: { of: 'median', limitMs: twiceTheLongestMs },
  };
}

async function measureAll(cluster: ServerCluster, faults: readonly Fault[]): Promise<void> {
  try {
    let leader = await cluster.begin();
    for (const fault of faults) {
      const figures: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await pause(restMs);
        figures.push(await measure(cluster, leader, fault));
        await fault.undo(leader);
        leader = await cluster.settled();
        if (values.verbose)
          console.log(`  ${fault.title}, round ${round + 1}: ${short(figures.at(-1) ?? 0)}`);
      }
      print(fault, figures);
    }
  } catch (error) {
    for (const { id, said } of cluster.servers) console.error(`----- ${id}\n${said}`);
    throw error;
  } finally {
    await cluster.remove();
  }
}

/** One round: load, fault, and the milliseconds that it cost. */
async function measure(cluster: ServerCluster, leader: ServerProcess, fault: Fault): Promise<number> {
  const survivors = cluster.servers.filter((server) => server !== leader);
  const survivor = survivors[0] as ServerProcess;
  const load = { isOver: false };
  const writers = Array.from({ length: writersMax }, (_, at) => write(survivor, `load-${at}`, load));
  try {
    await pause(restMs);
    return fault.isGraceful === true
      ? await longestGap(survivor, () => fault.strike(leader), leader)
      : await nextAcknowledged(survivor, () => fault.strike(leader));
  } finally {
    load.isOver = true;
    await Promise.all(writers);
  }
}

/** Writes one value after the other until the load is over. */
async function write(server: ServerProcess, key: string, load: { readonly isOver: boolean }): Promise<void> {
  while (!load.isOver) if (!(await put(server, key))) await pause(retryMs);
}

async function nextAcknowledged(server: ServerProcess, strike: () => void): Promise<number> {
  const struckAt = performance.now();
  strike();
  while (!(await put(server, 'probe'))) {
    if (performance.now() - struckAt > 6 * patienceMs) throw new Error('writes are refused for good');
    await pause(retryMs);
  }
  return performance.now() - struckAt;
}

/** From the fault until the leader's process has ended, and a moment longer. */
async function longestGap(server: ServerProcess, strike: () => void, leader: ServerProcess): Promise<number> {
  const watch = { isOver: false };
  await put(server, 'probe');
  let acknowledgedAt = performance.now();
  let longest = 0;
  strike();
  void Promise.race([leader.ended, pause(closeMsMax)])
    .then(() => pause(watchMs))
    .then(() => {
      watch.isOver = true;
    });
  while (!watch.isOver) {
    if (!(await put(server, 'probe'))) {
      await pause(retryMs);
      continue;
    }
    longest = Math.max(longest, performance.now() - acknowledgedAt);
    acknowledgedAt = performance.now();
  }
  return longest;
}

/** Whether the write was acknowledged. */
async function put(server: ServerProcess, key: string): Promise<boolean> {
  const body = 'x'.repeat(100);
  const answer = await ask(server.url, `PUT /kv/${key}`, { body, timeoutMs: patienceMs }).catch(() => null);
  return answer?.status === 200;
}

function print({ title, bar }: Fault, figures: readonly number[]): void {
  const { min, median, max } = spread(figures);
  console.log(`${title}: min ${short(min)}, median ${short(median)}, max ${short(max)}`);
  if (bar === null) return;
  const figure = bar.of === 'median' ? median : max;
  printBar({ what: `${title}, ${bar.of}`, figure, unit: ' ms', must: 'below', limit: bar.limitMs });
}
