// `npm run planted`: plants well-known bugs, one by one, in a copy of what was built, and expects the simulations to
// find each of them, in each of three ranges of seeds that have none in common; and nothing in the same seeds of the
// clean build. The bugs stand in planted-list.mjs.
//
//   npm run planted                     all bugs, on up to 2,000 seeds of each range; 20 where the runtime is simulated
//   npm run planted -- majority reads   those whose name has one of these words; the clean build only for `clean`
//   npm run planted -- --seeds 100      fewer seeds; --runtime-seeds for the runtime
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { buildIfNeeded } from './build.mjs';
import { optionsOf } from './options.mjs';
import { planted } from './planted-list.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals: words } = optionsOf(
  {
    seeds: { type: 'string', number: 'whole', default: '2000' },
    'runtime-seeds': { type: 'string', number: 'whole', default: '20' },
  },
  { allowPositionals: true },
);
/** A seed of the runtime takes some ten times as long as one of bare cores. */
const seedsOf = { core: values.seeds, runtime: values['runtime-seeds'] };
const ranges = [1, 1_000_001, 2_000_001];
const atOnce = 2;

const folder = mkdtempSync(join(tmpdir(), 'rxraft-planted-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.exitCode = buildIfNeeded(root) ? await main() : 1;

async function main() {
  const chosen = planted.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  const clean = cleanOf(planted);
  const bugs = words.length === 0 || words.includes('clean') ? [...chosen, ...clean] : chosen;
  const { core, runtime } = seedsOf;
  console.log(`Up to ${core} seeds, ${runtime} of the runtime, from ${ranges.join(', from ')}.`);
  console.log(
    '| | bug | seed, step | seed, step | seed, step | time | what was broken | what was broken | what was broken |',
  );
  const queue = bugs.flatMap((bug, place) => {
    const copy = plant(bug, join(folder, String(place)));
    return ranges.map((from) => ({ bug, copy, from }));
  });
  const outcomes = new Map(bugs.map((bug) => [bug, []]));
  await Promise.all(Array.from({ length: atOnce }, () => work(queue, outcomes)));
  const failed = bugs.filter((bug) => !outcomes.get(bug).every((outcome) => isRight(bug, outcome)));
  for (const { name } of failed) console.log(`NOT AS EXPECTED: ${name}`);
  console.log(`${bugs.length - failed.length} of ${bugs.length} as expected`);
  return failed.length === 0 && bugs.length > 0 ? 0 : 1;
}

/** The build without a bug, in the same weather as each bug. */
function cleanOf(bugs) {
  const weathers = new Map(
    bugs.map(({ simulator, options }) => [JSON.stringify({ simulator, options }), options]),
  );
  return [...weathers].map(([key, options]) => {
    const { simulator } = JSON.parse(key);
    const faults = options === undefined ? '' : `: ${options.faults.join(', ')}`;
    return { name: `no bug (${simulator}${faults})`, simulator, options, edits: [], isClean: true };
  });
}

/** A copy of the build, with the bug in it. */
function plant({ name, edits }, copy) {
  mkdirSync(copy);
  const isCode = (path) => !path.endsWith('.map') && !path.endsWith('.d.ts');
  cpSync(join(root, 'dist/src'), join(copy, 'src'), { recursive: true, filter: isCode });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const file of new Set(edits.map((edit) => edit.file))) {
    let source = readFileSync(join(root, file), 'utf8');
    for (const { find, replace } of edits.filter((edit) => edit.file === file)) {
      const places = source.split(find).length - 1;
      if (places !== 1)
        throw new Error(`${name}: ${file} has what is to be changed ${places} times: mend the list`);
      source = source.replace(find, () => replace);
    }
    writeFileSync(join(copy, file.replace(/\.ts$/, '.js')), compiled(source));
  }
  return copy;
}

function compiled(source) {
  const module = ts.ModuleKind.ESNext;
  const compilerOptions = { module, target: ts.ScriptTarget.ES2023, rewriteRelativeImportExtensions: true };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

async function work(queue, outcomes) {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { bug } = next;
    const known = outcomes.get(bug);
    known.push(await simulate(next));
    if (known.length === ranges.length)
      console.log(
        lineOf(
          bug,
          known.sort((a, b) => a.from - b.from),
        ),
      );
  }
}

/** Runs the seeds of one range in a process of its own. */
function simulate({ bug, copy, from }) {
  const startedAt = Date.now();
  const { simulator, options } = bug;
  const task = { copy, from, seeds: seedsOf[simulator], simulator, options };
  const args = ['--max-semi-space-size=64', join(root, 'tools/planted/run.mjs'), JSON.stringify(task)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const seconds = (Date.now() - startedAt) / 1000;
      const broken = { problem: `the process ended with ${code}`, isViolation: false };
      resolve({ from, seconds, ...(code === 0 ? JSON.parse(text) : broken) });
    });
  });
}

/**
 * A bug has to be found because a promise was broken; in the clean build nothing may be found, and every seed has to
 * exercise what it is to.
 */
function isRight({ isClean = false }, { problem, isViolation, unexercised }) {
  return isClean ? (problem ?? unexercised) === undefined : problem !== undefined && isViolation;
}

function lineOf(bug, outcomes) {
  const found = outcomes.map(({ problem, seed, step }) =>
    problem === undefined ? 'none' : `${seed}, ${step}`,
  );
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0).toFixed(1);
  const mark = outcomes.every((outcome) => isRight(bug, outcome)) ? 'ok' : 'NOT OK';
  const problems = outcomes.map(({ problem, unexercised }) => shown(problem ?? unexercised ?? ''));
  return `| ${mark} | ${bug.name} | ${found.join(' | ')} | ${seconds} s | ${problems.join(' | ')} |`;
}

function shown(problem) {
  return problem.length > 100 ? `${problem.slice(0, 99)}…` : problem;
}
