// `npm run build`: installs what is missing, compiles into dist/, and makes the program executable.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from './install.mjs';

/**
 * Builds the package. Returns whether it worked.
 *
 * @param {string} root - the folder of package.json.
 */
export function build(root) {
  if (!install(root)) return false;
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const program of Object.values(bin).map((path) => join(root, path))) {
    if (existsSync(program)) chmodSync(program, 0o755); // So that `npx rxraft` works in the repository.
  }
  return status === 0;
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) process.exitCode = build(join(dirname(self), '..')) ? 0 : 1;
