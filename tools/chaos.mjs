// `npm run chaos`: builds what is missing, then runs test/chaos/main.ts. What follows `--` goes to it.
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIfNeeded } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
if (buildIfNeeded(root)) await import(pathToFileURL(join(root, 'dist/test/chaos/main.js')).href);
else process.exitCode = 1;
