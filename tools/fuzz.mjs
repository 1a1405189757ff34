// `npm run fuzz -- --minutes 5`: the fuzz tests of `npm test`, on other bytes and inputs each time, for as long as one likes.
//
// What fails is printed with its seed, its path and the smallest input that still fails, and ends this with 1.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';
import { optionsOf } from './options.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values, positionals } = optionsOf(
  { minutes: { type: 'string', number: 'positive', default: '1' } },
  { allowPositionals: true },
);
const { minutes } = values;
if (!install(root)) process.exit(1);
const vitest = join(root, 'node_modules/.bin/vitest');
const totality = 'test/unit/core/totality'; // `step` itself, given any value at all.
const files =
  positionals.length === 0
    ? ['test/unit/fuzz', totality]
    : positionals.map((name) => ('totality'.startsWith(name) ? totality : `test/unit/fuzz/${name}`));
const { status } = spawnSync(vitest, ['run', '--project=unit', '--maxWorkers=1', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, RXRAFT_FUZZ_MINUTES: String(minutes) },
});
process.exit(status ?? 1);
