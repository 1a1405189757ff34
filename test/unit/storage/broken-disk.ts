import { KeyMap } from '../../../src/storage/key-map.ts';
import { type DiskImage, type DiskSession, MemoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { StorageConformanceCase, StoragePlace } from '../../../src/testing/storage-conformance.ts';

type Apply = (image: DiskImage) => void;

/** A disk in memory whose subclasses break a promise, so that the conformance suite is seen to notice. */
export class BrokenDisk extends MemoryDisk {
  constructor() {
    super({});
  }

  /** Writes a transaction to the image; a subclass may change what it does. */
  carryOut(apply: () => void): void {
    apply();
  }

  override write(session: DiskSession, apply: Apply): Promise<void> {
    return super.write(session, (image) => this.carryOut(() => apply(image)));
  }
}

/** A disk that answers some writes unflushed, and flushes them with the next one that it does flush. */
export class LazyDisk extends MemoryDisk {
  readonly #isLazy: (before: DiskImage, after: DiskImage) => boolean;
  /** What is durable, where that is not all that is written. */
  #durable: DiskImage | null = null;

  constructor(isLazy: (before: DiskImage, after: DiskImage) => boolean) {
    super({});
    this.#isLazy = isLazy;
  }

  override write(session: DiskSession, apply: Apply): Promise<void> {
    return new Promise((resolve) => {
      if (!session.isAlive) return;
      const before = copyOf(this.image);
      this.#durable ??= before;
      apply(this.image);
      const isLazy = this.#isLazy(before, this.image);
      setImmediate(() => {
        if (!session.isAlive) return;
        if (!isLazy) this.#durable = null;
        resolve();
      });
    });
  }

  override losePower(): void {
    super.losePower();
    if (this.#durable !== null) become(this.image, this.#durable);
    this.#durable = null;
  }
}

/** A disk that writes a part of each transaction in a second one. */
export class SplitDisk extends MemoryDisk {
  readonly #isLate: (name: keyof DiskImage) => boolean;

  constructor(isLate: (name: keyof DiskImage) => boolean) {
    super({});
    this.#isLate = isLate;
  }

  override async write(session: DiskSession, apply: Apply): Promise<void> {
    let after: DiskImage | undefined;
    await super.write(session, (image) => {
      const before = copyOf(image);
      apply(image);
      after = copyOf(image);
      const late = Object.entries(before).filter(([name]) => this.#isLate(name as keyof DiskImage));
      become(image, { ...after, ...Object.fromEntries(late) });
    });
    await super.write(session, (image) => become(image, after as DiskImage));
  }
}

function copyOf(image: DiskImage): DiskImage {
  const generations = new Map([...image.generations].map(([name, data]) => [name, dataOf(data)]));
  return { ...image, batches: [...image.batches], generations };
}

function dataOf(data: KeyMap<Uint8Array>): KeyMap<Uint8Array> {
  const copy = new KeyMap<Uint8Array>();
  for (const [key, value] of data.entries()) copy.set(key, value);
  return copy;
}

/** The image itself stays, with the content of another one. */
function become(image: DiskImage, content: DiskImage): void {
  const { batches, generations, ...rest } = copyOf(content);
  Object.assign(image, rest);
  image.batches.splice(0, image.batches.length, ...batches);
  image.generations.clear();
  for (const [name, data] of generations) image.generations.set(name, data);
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
