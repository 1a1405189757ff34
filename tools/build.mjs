// `npm run build`: installs what is missing, compiles into dist/, and makes the program executable.
// `--no-check` leaves types unchecked, for whoever checks them beside it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';

/** What the build is made of, and where the hash of what it was last made of is kept. */
const sources = [
  'src',
  'examples',
  'bench',
  'test/chaos',
  'test/integration/harness',
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
  'package-lock.json',
];
const stampFile = 'node_modules/.cache/rxraft/built-from';

/**
 * Builds the package. Returns whether it worked.
 *
 * @param {string} root - the folder of package.json.
 * @param {readonly string[]} flags - for the compiler, beside the project.
 */
export function build(root, flags = []) {
  if (!install(root)) return false;
  const stamp = join(root, stampFile);
  const hash = hashOf(root);
  rmSync(stamp, { force: true });
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json', ...flags], { cwd: root, stdio: 'inherit' });
  if (status !== 0) return false;
  // So that `npx rxraft` works in the repository.
  for (const program of programs(root)) if (existsSync(program)) chmodSync(program, 0o755);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
  return true;
}

/** Builds the package unless that has been done since its sources last changed. Returns whether it is built. */
export function buildIfNeeded(root) {
  if (!install(root)) return false;
  const stamp = join(root, stampFile);
  const isBuilt = programs(root).every((program) => existsSync(program));
  if (isBuilt && existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOf(root)) return true;
  console.log('Building (npm run build).');
  const isGood = build(root);
  if (!isGood) console.error('The build failed. The messages above say why.');
  return isGood;
}

function programs(root) {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.values(bin).map((path) => join(root, path));
}

/** What the build is made of, as one word: the same however the folder is named. */
export function hashOf(root) {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    const files = source.includes('.') ? [path] : filesUnder(path);
    for (const file of files)
      hash
        .update(`${relative(root, file)}\0`)
        .update(readFileSync(file))
        .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  const flags = process.argv.includes('--no-check') ? ['--noCheck'] : [];
  process.exitCode = build(join(dirname(self), '..'), flags) ? 0 : 1;
}
