import { type DiskImage, type DiskSession, MemoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { StorageConformanceCase, StoragePlace } from '../../../src/testing/storage-conformance.ts';

/** A disk in memory whose subclasses break a promise, so that the conformance suite is seen to notice. */
export class BrokenDisk extends MemoryDisk {
  constructor() {
    super({});
  }

  /** Writes a transaction to the image; a subclass may change what it does. */
  carryOut(apply: () => void): void {
    apply();
  }

  override write(session: DiskSession, apply: (image: DiskImage) => void): Promise<void> {
    return super.write(session, (image) => this.carryOut(() => apply(image)));
  }
}

/** The names of the cases that a disk does not pass. */
export async function failedCases(
  cases: readonly StorageConformanceCase[],
  newDisk: () => MemoryDisk,
): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of cases) {
    const make = () => placeOn(newDisk());
    await run({ make }).catch(() => failed.push(name));
  }
  return failed;
}

function placeOn(disk: MemoryDisk): StoragePlace {
  return {
    storage: (options = {}) => memoryStorage({ disk, ...options }),
    kill: () => disk.kill(),
    losePower: () => disk.losePower(),
    failNextWrite: () => disk.plan({ type: 'fail' }),
  };
}
