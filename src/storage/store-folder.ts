import { access, constants, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { unusableFolder } from './store-errors.ts';

/** Makes the folder of a store where there is none, and sees that it can be written. Rejects with a StorageError. */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await makeFolder(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusableFolder(path, cause);
  }
}

/**
 * Makes a folder, and those above it. Node's `recursive` never comes to an end where a folder is there and takes
 * no new ones, as /proc does: it makes that folder again and again.
 */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  await mkdir(path).catch(async (error: unknown) => {
    if (!(await isFolder(path))) throw error; // Else another process has been faster.
  });
  await flushFolder(parent);
}

/** Makes the names in a folder survive a power cut: flushing a file does not flush its name. */
export async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => null); // Not every system opens a folder.
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
