import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from './lmdb-tables.ts';
import { causeOf } from './lmdb-writes.ts';
import { hasHoles, lackOfRoom } from './room.ts';
import { freeBytesOf, RoomGauge } from './room-gauge.ts';
import { noRoom } from './store-errors.ts';

/** What LMDB's files have when they are new, and some more: 57,000 bytes. */
const newFilesBytes = 2 ** 17;

/** What a disk must take after it refused a write, to be called sound: as much as LMDB writes at once. */
const writeBytes = 2 ** 20;

/** What is written together. */
export interface Puts {
  /** Calls LMDB. */
  readonly put: () => void;
  /** How much that writes. */
  readonly bytes: number;
}

/**
 * Stands between LMDB and a disk without room, from the opening of a store to its end. LMDB must not meet one: it
 * does not say so, and may end the process (docs/decisions/0024).
 */
export class DiskGuard {
  readonly #path: string;
  readonly #gauge: RoomGauge;
  /** Why a write failed. */
  #failure: Promise<unknown> | null = null;

  /** @param path - the folder of the store. */
  constructor(path: string) {
    this.#path = path;
    this.#gauge = new RoomGauge(() => freeBytesOf(path));
  }

  /** Before LMDB maps its lock files: those without room on the disk are a SIGBUS. Rejects with a StorageError. */
  async beforeOpening(): Promise<void> {
    const locks = ['lock.mdb', 'owner.mdb-lock'].map((name) => hasHoles(join(this.#path, name)));
    if (!(await Promise.all(locks)).includes(true)) return;
    const lack = await lackOfRoom(this.#path, { offset: 0, bytes: newFilesBytes });
    if (lack !== undefined) throw noRoom(this.#path, lack);
  }

  /**
   * One transaction, in the order of the calls; none after one that failed. Resolves after its flushes; rejects with
   * the disk's own error, or with what it lacks.
   */
  async commit(environment: Environment, { put, bytes }: Puts): Promise<void> {
    const hasRoom = await this.#gauge.hasRoomFor(bytes);
    if (!hasRoom) this.#failure ??= Promise.resolve(noRoom(this.#path, 'ENOSPC'));
    if (this.#failure !== null) throw await this.#failure;
    try {
      await environment.batch(put);
    } catch (error) {
      this.#failure ??= this.#reasonOf(error);
      throw await this.#failure;
    }
  }

  async #reasonOf(error: unknown): Promise<unknown> {
    const cause = await causeOf(error);
    const found = await stat(join(this.#path, 'data.mdb')).catch(() => undefined);
    const lack = await lackOfRoom(this.#path, { offset: found?.size ?? 0, bytes: writeBytes });
    return lack === undefined ? cause : noRoom(this.#path, lack);
  }
}
