// `npm run simulate`: simulates clusters of bare cores in bad weather, one seed after the other, for as long as one
// likes. Ends at the first that fails, with the line that shows it again and a short script.
//
//   npm run simulate -- --from 1 --seeds 100000   these seeds; without --seeds it goes on until it is stopped
//   npm run simulate -- --nodes 5 --steps 20000   founding members, 3 if nothing is said; steps of each seed, 5,000
//   npm run simulate -- --every 60                 seconds between lines, 10
//   npm run simulate -- --runtime                  the runtime as it is shipped, with every fault (docs/guide/testing.md)
//   npm run simulate -- --from 7 --seeds 1 --record run.recording
//                                                  writes each step of each node down (docs/recording.md)
import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIfNeeded } from './build.mjs';
import { optionsOf } from './options.mjs';

/** In so many seeds every fault must have struck, or the run has shown too little. */
const seedsToStrike = 50;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { from, seeds, nodes, steps, every, record, runtime } = readArguments();
const module = join(root, 'dist/src/testing/index.js');
if (buildIfNeeded(root)) {
  const testing = await import(pathToFileURL(module).href);
  process.exitCode = runtime ? await runRuntime(testing) : run(testing);
} else process.exitCode = 1;

function readArguments() {
  const whole = (preset) => ({ type: 'string', number: 'whole', default: preset });
  const { values } = optionsOf({
    from: whole('1'),
    seeds: whole('Infinity'),
    nodes: whole('3'),
    steps: whole('5000'),
    every: whole('10'),
    record: { type: 'string' },
    runtime: { type: 'boolean', default: false },
  });
  if (values.record !== undefined && values.seeds !== 1) {
    console.error('--record writes down one run: say which with --from SEED --seeds 1');
    process.exit(2);
  }
  if (values.record !== undefined && values.runtime) {
    console.error('--record writes down bare cores: leave out --runtime');
    process.exit(2);
  }
  return values;
}

/** Simulates; a line of progress every few seconds. */
function run({ simulateCore, recorder }) {
  const startedAt = Date.now();
  const sum = {};
  let shownAt = startedAt;
  const expected = new Set();
  let done = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const { counts, missed } = recorded(recorder, (onStep) =>
        simulateCore({ seed, nodes, steps, ...onStep }),
      );
      add(sum, counts);
      for (const fault of missed) expected.add(fault);
    } catch (error) {
      console.error(error.message);
      return 1;
    }
    done += 1;
    if (Date.now() < shownAt + every * 1000) continue;
    shownAt = Date.now();
    console.log(progress({ done, sum, startedAt }));
  }
  console.log(progress({ done, sum, startedAt }));
  console.log(inWords(sum));
  const missed = [...expected].filter((fault) => sum[fault] === 0);
  if (missed.length === 0) return 0;
  console.log(`The weather had these in store, and they never struck: ${missed.join(', ')}`);
  return done < seedsToStrike ? 0 : 1; // A few seeds may be spared.
}

/** Simulates the shipped runtime; a line of progress every few seconds. */
async function runRuntime({ simulateSeeds }) {
  const startedAt = Date.now();
  const sum = {};
  let shownAt = startedAt;
  let done = 0;
  const onReport = ({
    seed: _seed,
    nodes: _nodes,
    faults: _faults,
    changes: _changes,
    digest: _digest,
    ...counts
  }) => {
    add(sum, counts);
    done += 1;
    if (Date.now() < shownAt + every * 1000) return;
    shownAt = Date.now();
    console.log(progress({ done, sum, startedAt }));
  };
  try {
    const { faults, changes } = await simulateSeeds({ from, count: seeds, nodes, steps, onReport });
    console.log(progress({ done, sum, startedAt }));
    console.log(inWords(sum));
    console.log(inWords(faults));
    console.log(`changes of members, committed of asked: ${changesInWords(changes)}`);
    return 0;
  } catch (error) {
    console.error(error.message);
    return 1;
  }
}

function inWords(counts) {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
    .join(', ');
}

function changesInWords(changes) {
  return Object.entries(changes)
    .map(
      ([kind, { asked, committed }]) =>
        `${kind} ${committed.toLocaleString('en')} of ${asked.toLocaleString('en')}`,
    )
    .join(', ');
}

/** Runs a simulation; with --record its steps go into the file, also those of one that fails. */
function recorded(recorder, simulate) {
  if (record === undefined) return simulate({});
  const file = openSync(record, 'w');
  try {
    return simulate({ onStep: recorder((line) => writeSync(file, `${line}\n`), { seed: from }) });
  } finally {
    closeSync(file);
  }
}

function add(sum, counts) {
  for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
}

/** What other processes take of the machine does not count. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function progress({ done, sum, startedAt }) {
  const seconds = (Date.now() - startedAt) / 1000;
  const rate = (count) => Math.round(count / seconds).toLocaleString('en');
  const { elections, committed, crashes, snapshotsInstalled, membersChanged } = sum;
  const happened = { elections, committed, crashes, snapshotsInstalled, membersChanged };
  return [
    `${done.toLocaleString('en')} seeds, through ${from + done - 1}`,
    `${rate(done)} seeds/s`,
    `${rate(sum.steps)} steps/s (${Math.round(sum.steps / cpuSeconds()).toLocaleString('en')} a second of CPU)`,
    ...Object.entries(happened)
      .filter(([, count]) => count !== undefined)
      .map(([name, count]) => `${name} ${count.toLocaleString('en')}`),
  ].join(', ');
}
