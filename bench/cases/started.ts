import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../harness/at-exit.ts';
import type { RunningSystem, System } from '../systems/system.ts';

/** Has something done in an empty folder, which is removed then. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const takeBack = atExit(remove);
  await work(folder);
  takeBack();
  remove();
}

/** Starts a system in an empty folder, has something done with it, and removes both. */
export function withStarted(
  system: System,
  bytes: number,
  work: (running: RunningSystem) => Promise<void>,
): Promise<void> {
  return inFolder(async (folder) => {
    const running = await system.start(folder, bytes);
    await work(running);
    await running.end();
  });
}
