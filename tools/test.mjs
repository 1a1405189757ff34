// `npm test`: everything that CI runs. On a fresh clone it installs what is missing first.
//
//   npm test                            everything
//   npm test -- --only lint,unit        some steps or test projects, by name
//   npm test -- --only unit -t quorum   what is not known here goes on to vitest
//
// The tests of `integration` start the programs in dist/: these are built first, unless they are up to date.
//
// The last line is `N passed, N failed`, and `, N skipped` if any: each check counts as one test.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIfNeeded } from './build.mjs';
import { install } from './install.mjs';

/** Checks besides vitest. One starts when those it comes `after` have ended, two at a time. */
const checks = [
  {
    name: 'lint',
    title: 'Format, lint, import arrows',
    command: bin('biome', 'check', '--error-on-warnings'),
  },
  { name: 'types', title: 'Types', command: bin('tsc', '-p', 'tsconfig.json') },
  { name: 'core', title: 'Types of src/core, without Node or DOM', command: bin('tsc', '-p', 'src/core') },
  { name: 'errors', title: 'Every error code is explained', command: ['node', 'tools/errors.mjs'] },
  // Types are checked by `types`.
  {
    name: 'build',
    title: 'Build, without checking types',
    command: ['node', 'tools/build.mjs', '--no-check'],
  },
  { name: 'docs', title: 'Docs of every exported name', command: bin('typedoc', '--emit', 'none') },
  { name: 'package', title: 'Package', command: bin('publint', '--strict'), after: ['build'] },
];
const projects = ['unit', 'paper', 'alone', 'integration'];
/** Its tests start what was built. */
const ofBuild = 'integration';
const atOnce = 2;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isColored = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const total = { passed: 0, failed: 0, skipped: 0 };

const { only, rest } = readArguments(process.argv.slice(2));
const startedAt = Date.now();
if (install(root)) {
  await runChecks(checks.filter(({ name }) => isWanted(name)));
  await runTests(buildFor(projects.filter(isWanted)));
} else {
  total.failed++;
}
headline(`Done in ${secondsSince(startedAt)}`);
const { passed, failed, skipped } = total;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

function readArguments(given) {
  const names = [...checks.map(({ name }) => name), ...projects];
  const wanted = [];
  const others = [];
  for (let at = 0; at < given.length; at++) {
    if (given[at] === '--only') wanted.push(...(given[++at] ?? '').split(','));
    else if (given[at].startsWith('--only=')) wanted.push(...given[at].slice('--only='.length).split(','));
    else others.push(given[at]);
  }
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`--only ${unknown.join(',')} is not known. Expected some of: ${names.join(',')}`);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
  return { only: wanted, rest: others };
}

function isWanted(name) {
  return only.length === 0 || only.includes(name);
}

/** Builds for the tests that start what was built, unless that is a check of this run. Gives the projects that can run. */
function buildFor(wanted) {
  if (!wanted.includes(ofBuild) || isWanted('build') || buildIfNeeded(root)) return wanted;
  total.failed++;
  return wanted.filter((name) => name !== ofBuild);
}

/** Runs checks side by side. What each has to say is kept and printed when it ends. */
async function runChecks(wanted) {
  const waiting = [...wanted];
  const ended = new Set();
  const isReady = ({ after = [] }) =>
    after.every((name) => ended.has(name) || !wanted.some((check) => check.name === name));
  const work = async () => {
    while (waiting.length > 0) {
      const at = waiting.findIndex(isReady);
      if (at === -1) return; // The other lane goes on when the check before this one has ended.
      const [check] = waiting.splice(at, 1);
      await runCheck(check);
      ended.add(check.name);
    }
  };
  while (waiting.length > 0) await Promise.all(Array.from({ length: atOnce }, work));
}

async function runCheck({ title, command }) {
  const since = Date.now();
  const { code, output } = await run(command, 'keep');
  const isGood = code === 0;
  headline(`${isGood ? 'ok' : 'FAILED'}: ${title} (${secondsSince(since)})`);
  if (!isGood) process.stdout.write(output.endsWith('\n') ? output : `${output}\n`);
  if (isGood) total.passed++;
  else total.failed++;
}

/** Runs vitest on both cores and counts what its JSON report says; never counts a crash as a success. */
async function runTests(wanted) {
  if (wanted.length === 0) return;
  headline(`Tests: ${wanted.join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await run(
    bin('vitest', 'run', ...reporters, ...wanted.map((name) => `--project=${name}`), ...rest),
    'stream',
  );
  const counts = readCounts(report);
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0 && counts.failed === 0) {
    console.log(`vitest ended with ${code}, though no test failed: counted as a failure.`);
    counts.failed = 1;
  }
  if (counts.passed + counts.failed === 0) {
    console.log('No test ran: counted as a failure.');
    counts.failed = 1;
  }
  for (const key of Object.keys(total)) total[key] += counts[key];
}

function readCounts(path) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of readReport(path)) {
    const inFile = { passed: 0, failed: 0, skipped: 0 };
    for (const { status } of file.assertionResults) {
      inFile[status === 'passed' || status === 'failed' ? status : 'skipped']++;
    }
    const isBroken = file.status === 'failed' && inFile.failed === 0; // It could not even be loaded.
    if (isBroken)
      console.log(`${relative(root, file.name)} failed outside of its tests: counted as a failure.`);
    counts.passed += inFile.passed;
    counts.failed += isBroken ? 1 : inFile.failed;
    counts.skipped += inFile.skipped;
  }
  return counts;
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).testResults;
  } catch (error) {
    console.log(`vitest left no report (${error.message}).`);
    return [];
  }
}

/** Runs a command to its end. A child that is killed or can't be started has failed. */
function run([command, ...args], mode) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: mode === 'stream' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: environment(),
    });
    let output = '';
    const keep = (text) => {
      output += text;
    };
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

/** What a child is told about colors, which it can't find out itself when its output is kept. */
function environment() {
  const { FORCE_COLOR: _, ...others } = process.env;
  return isColored ? { ...others, FORCE_COLOR: '1' } : { ...others, NO_COLOR: '1' };
}

/** A program of a package, called directly: `npx` would offer another one if it were missing. */
function bin(name, ...args) {
  return [join('node_modules', '.bin', name), ...args];
}

function headline(text) {
  console.log(isColored ? `\n\u001b[1m== ${text}\u001b[0m` : `\n== ${text}`);
}

function secondsSince(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
