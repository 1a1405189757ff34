// `npm start`: installs and builds what is missing, then starts a cluster of three nodes on this machine.
// What follows `npm start --` goes to the program, examples/kv/start.ts.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIfNeeded } from './build.mjs';

/** The same signal within this time is the same wish: Ctrl-C reaches us from the terminal and from npm. */
const sameSignalMs = 500;

const tools = dirname(fileURLToPath(import.meta.url));
const root = join(tools, '..');
if (buildIfNeeded(root)) start();
else process.exitCode = 1;

/**
 * Runs the program in a process group of its own, so that a signal reaches it once, from here. If this
 * process is killed, the channel between the two breaks, and the program stops as on SIGTERM.
 */
function start() {
  const child = spawn(
    process.execPath,
    [
      `--import=${new URL('stop-with-parent.mjs', import.meta.url)}`,
      join(root, 'dist/examples/kv/start.js'),
      ...process.argv.slice(2),
    ],
    { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], detached: true },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    let passedOnAt = -Infinity;
    process.on(signal, () => {
      if (Date.now() - passedOnAt < sameSignalMs) return;
      passedOnAt = Date.now();
      child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
  child.on('error', (error) => {
    console.error(`The program could not be started: ${error.message}`);
    process.exitCode = 1;
  });
}
