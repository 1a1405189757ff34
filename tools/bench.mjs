// `npm run bench` and `npm run bench:NAME`: build what is missing, then run bench/main.ts or bench/NAME.ts. What follows
// `--` goes to it.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIfNeeded } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [name = '', ...rest] = process.argv.slice(2);
if (buildIfNeeded(root)) {
  process.argv.splice(2, process.argv.length, ...rest);
  await import(pathToFileURL(join(root, 'dist/bench', `${name}.js`)).href);
} else {
  process.exitCode = 1;
}
