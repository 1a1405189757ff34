import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file that says that `npm start` made this folder, so that `--fresh` may empty it. */
const marker = '.made-by-rxraft';

/**
 * Makes the folder ready: creates it where there is none, and empties it if that was asked for. Returns why
 * that can't be, or `null`.
 *
 * A folder is emptied only if it holds what we put there and nothing else, and no node of it is running.
 */
export function prepareFolder(folder: string, options: { readonly isFresh: boolean }): string | null {
  try {
    return prepare(folder, options);
  } catch (error) {
    return `${folder} can't be used: ${(error as Error).message}. Nothing was started. Choose another folder with --data.`;
  }
}

function prepare(folder: string, { isFresh }: { readonly isFresh: boolean }): string | null {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory())
    return `${folder} is not a folder. Choose another with --data.`;
  const entries = stat === undefined ? [] : readdirSync(folder);
  const nodes = entries.filter((name) => /^n\d+$/.test(name));
  const running = nodes.flatMap((name) => runningIn(join(folder, name)));
  if (running.length > 0) {
    return `Nodes of ${folder} are running: pid ${running.join(', ')}. Stop them first, or choose another folder with --data.`;
  }
  if (isFresh && entries.length > 0) {
    const strange = entries.filter((name) => name !== marker && !nodes.includes(name));
    const isOurs = entries.includes(marker) && strange.length === 0;
    if (!isOurs) return refusalOf(folder, strange);
    for (const name of nodes) rmSync(join(folder, name), { recursive: true, force: true });
  }
  makeFolder(folder);
  if (entries.length === 0)
    writeFileSync(join(folder, marker), 'npm start -- --fresh may empty this folder.\n');
  return null;
}

/**
 * Makes a folder, and those above it. `recursive` would not do: Node never gives up where a folder is there and
 * takes no new ones, as /proc does.
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  mkdirSync(folder);
}

function refusalOf(folder: string, strange: readonly string[]): string {
  const why = strange.length > 0 ? `it holds ${strange.slice(0, 5).join(', ')}` : 'npm start did not make it';
  return `--fresh does not empty ${folder}: ${why}. Empty it yourself, or choose another folder with --data.`;
}

/** The process that has left its pid in the folder of a node, if it is still there. */
function runningIn(folder: string): readonly number[] {
  const pid = Number(read(join(folder, 'pid')));
  if (!Number.isSafeInteger(pid) || pid <= 1) return [];
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return [];
  }
  // The number may have been given to another process since. Where the system tells, look.
  const command = read(`/proc/${pid}/cmdline`);
  return command === '' || command.includes('serve') ? [pid] : [];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
