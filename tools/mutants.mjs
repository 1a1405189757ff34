// `npm run mutants`: deletes or inverts each rule in a copy of the source, and expects the rule's own test to
// fail, on an assertion. A compile error, a time-out or a changed golden file does not count. What a mutant is
// and which test has to notice it stands in mutant-list.mjs.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutants } from './mutant-list.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const only = process.argv.slice(2);
const known = [...new Set(mutants.map(({ rule }) => String(rule)))];
const strangers = only.filter((word) => !known.includes(word));
if (strangers.length > 0) {
  console.error(
    `No mutant is of ${strangers.join(', ')}. Say nothing for all, or some of ${known.join(' ')}`,
  );
  process.exit(2);
}
const copy = mkdtempSync(join(tmpdir(), 'rxraft-mutants-'));
const testTimeoutMs = 60_000;
const soundTests = new Map();

process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const part of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
  cpSync(join(root, part), join(copy, part), { recursive: true });
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

const chosen = mutants.filter(({ rule }) => only.length === 0 || only.includes(String(rule)));
const outcomes = chosen.map(tryOut);
const survivors = outcomes.filter(({ isCaught }) => !isCaught);
for (const { rule, name, why } of survivors) console.log(`SURVIVED  rule ${rule}: ${name}: ${why}`);
console.log(`${outcomes.length - survivors.length} of ${outcomes.length} mutants caught`);
process.exitCode = survivors.length === 0 && outcomes.length > 0 ? 0 : 1;

/** Plants a mutant, which is an edit, or several where two places guard one claim; and runs its test. */
function tryOut({ rule, name, test, claim, also = [], ...first }) {
  const started = Date.now();
  const outcome = (isCaught, why) => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    console.log(
      `${isCaught ? 'caught  ' : 'SURVIVED'}  rule ${String(rule).padEnd(4)} ${name} (${why}; ${seconds} s)`,
    );
    return { rule, name, isCaught, why };
  };
  const edits = [first, ...also].map(editOf);
  const stray = edits.find(({ places }) => places !== 1);
  if (stray !== undefined)
    return outcome(false, `${stray.file} has what is to be changed ${stray.places} times: mend the list`);
  if (!isSound(test, claim)) return outcome(false, 'its test does not pass on the clean source');
  for (const { path, mutated } of edits) writeFileSync(path, mutated);
  try {
    const { failed } = run(test, claim);
    if (failed.length === 0) return outcome(false, `"${claim}" did not fail`);
    const byAssertion = failed.filter((message) => /AssertionError|Property failed after/.test(message));
    return byAssertion.length > 0
      ? outcome(true, `"${claim}"`)
      : outcome(false, `"${claim}" failed, but on no assertion: ${failed[0].split('\n')[0]}`);
  } finally {
    for (const { path, source } of edits) writeFileSync(path, source);
  }
}

function editOf({ file, find, replace }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const mutated = source.replace(find, () => replace);
  return { file, path, source, mutated, places: source.split(find).length - 1 };
}

/** Whether a test is there, and passes on the clean source. */
function isSound(test, claim) {
  const key = `${test} ${claim}`;
  if (!soundTests.has(key)) {
    const { passed, failed } = run(test, claim);
    soundTests.set(key, passed > 0 && failed.length === 0);
  }
  return soundTests.get(key);
}

/** Runs the tests of a file whose name holds the claim; gives how many passed, and the messages of those that failed. */
function run(test, claim) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const pattern = claim.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const args = [
    vitest,
    'run',
    test,
    '-t',
    pattern,
    '--reporter=json',
    `--outputFile=${report}`,
    '--no-file-parallelism',
  ];
  spawnSync(process.execPath, args, {
    cwd: copy,
    timeout: 2 * testTimeoutMs,
    stdio: 'ignore',
    env: { ...process.env, CI: 'true' },
  });
  try {
    const results = JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(
      (file) => file.assertionResults,
    );
    const failed = results.filter(({ status }) => status === 'failed');
    return {
      passed: results.filter(({ status }) => status === 'passed').length,
      failed: failed.map(({ failureMessages }) => failureMessages.join('\n')),
    };
  } catch {
    return { passed: 0, failed: [] };
  }
}
