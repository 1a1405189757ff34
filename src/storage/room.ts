import { randomBytes } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How long a disk has for its answer: one that hangs tells nothing. */
const answerMsMax = 1_000;

/** What the system says when there is no room. */
const roomCodes: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Some bytes at an offset of a file. */
export interface Room {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Why a folder has no room for so many bytes at that place of a file: `ENOSPC`, `EDQUOT` or `EFBIG`. `undefined` if
 * it has, or nobody can tell.
 *
 * LMDB does not say: a write of which the disk took a part is an "Input/output error" to it, and where a lock file
 * has no room it ends the process with SIGBUS. So a file of our own is written, and removed again.
 */
export async function lackOfRoom(folder: string, room: Room): Promise<string | undefined> {
  const path = join(folder, 'room-probe');
  const probe = fill(path, room).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  const answer = probe.finally(() => rm(path, { force: true }).catch(() => undefined));
  const error = await Promise.race([answer, pause(answerMsMax, undefined, { ref: false })]);
  return roomCodes.find((code) => code === error?.code);
}

async function fill(path: string, { offset, bytes }: Room): Promise<void> {
  const noise = randomBytes(bytes); // A file system that compresses has room for any number of zeros.
  const file = await open(path, 'w');
  try {
    for (let done = 0; done < bytes; ) {
      const { bytesWritten } = await file.write(noise, done, bytes - done, offset + done);
      done += bytesWritten;
    }
  } finally {
    await file.close();
  }
}

/** Whether a file has less room on the disk than it is long, or is not there. */
export async function hasHoles(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.blocks * 512 < found.size;
}
