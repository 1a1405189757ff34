import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { atExit } from '../../bench/harness/at-exit.ts';

const mebibyte = 1024 * 1024;
const tmpfsBytes = 128 * mebibyte;

/** A disk for the data of one node, which can be made to fail. */
export interface FailingDisk {
  /** `full`: it says how much room is left. `flush`: it does not, takes every write, and fails to flush it. */
  readonly kind: 'full' | 'flush';
  /** Leaves room for so many bytes, and no more. */
  squeeze(freeBytes: number): void;
  /** Takes `squeeze` back. */
  release(): void;
  remove(): void;
}

/**
 * The kind of the disk at this place of a cluster, if disks can be made to fail: turn by turn, and the last node's is an
 * ordinary one (`null`).
 */
export function diskKindAt(index: number, size: number): FailingDisk['kind'] | null {
  if (index >= size - 1) return null;
  return index % 2 === 0 ? 'full' : 'flush';
}

/** A file system in memory, as small as wanted. It takes root and Linux; throws if it can't be mounted. */
export function smallDisk(path: string): FailingDisk {
  mkdirSync(path, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${tmpfsBytes}`, 'rxraft-chaos', path);
  const remove = (): void => void spawnSync('umount', ['-l', path]);
  atExit(remove);
  return { kind: 'full', ...sizeOf(path), remove };
}

/**
 * A file system in a file that has holes, on a small one. When that is full, the inner one knows nothing of it: its
 * writes wait in memory, and `fsync` fails. Takes what {@link smallDisk} takes, and `mkfs.ext4`.
 */
export function flushDisk(path: string): FailingDisk {
  const outer = `${path}.outer`;
  const image = join(outer, 'image');
  const small = smallDisk(outer);
  mkdirSync(path, { recursive: true });
  run('truncate', '-s', `${tmpfsBytes - 8 * mebibyte}`, image);
  run('mkfs.ext4', '-q', '-F', '-O', '^has_journal', '-E', 'lazy_itable_init=0', image);
  run('mount', '-o', 'loop', image, path);
  const remove = (): void => {
    spawnSync('umount', ['-l', path]);
    small.remove();
  };
  atExit(remove);
  return { ...small, kind: 'flush', remove };
}

function sizeOf(path: string): Pick<FailingDisk, 'squeeze' | 'release'> {
  return {
    squeeze(freeBytes) {
      const { bsize, blocks, bfree } = statfsSync(path);
      run('mount', '-o', `remount,size=${(blocks - bfree) * bsize + freeBytes}`, path);
    },
    release: () => run('mount', '-o', `remount,size=${tmpfsBytes}`, path),
  };
}

function run(file: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
