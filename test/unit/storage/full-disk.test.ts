import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodePayload, type PersistReq } from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { crc32 } from '../../../src/streams/crc32.ts';
import { appending, batchAt } from './batches.ts';

const mebibyte = 1024 * 1024;
const disk = vi.hoisted(() => ({ freeBytes: 0 }));

vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  statfs: async () => ({ bavail: disk.freeBytes, bfree: disk.freeBytes, bsize: 1 }),
}));

function newPath(): string {
  const path = mkdtempSync(join(tmpdir(), 'rxraft-full-disk-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function appendingBytes(at: number, bytes: number): readonly PersistReq[] {
  const payload = encodePayload([new Uint8Array(bytes)]);
  const [request] = appending(at) as [PersistReq];
  return [{ ...request, batches: [{ ...batchAt(at), payload, payloadChecksum: crc32(payload) }] }];
}

describe('a disk that is nearly full', () => {
  it('fails the store before LMDB writes, and everything acknowledged is there once it has room', async () => {
    const path = newPath();
    disk.freeBytes = 3 * mebibyte;
    const storage = lmdbStorage({ path });
    await storage.open();
    await storage.persist(appending(1));

    const refused = await storage.persist(appendingBytes(2, mebibyte)).catch((error: unknown) => error);
    const next = await storage.persist(appendingBytes(2, 1)).catch((error: unknown) => error);
    await storage.close();

    expect(refused).toMatchObject({ code: 'RAFT_STORE_FAILED' });
    expect((refused as Error).message).toMatch(
      /no room for the store at .*the disk is full, or nearly \(ENOSPC\)\. Nothing acknowledged is lost.*Make room/,
    );
    expect(next).toMatchObject({ code: 'RAFT_STORE_FAILED' });
    disk.freeBytes = 100 * mebibyte;
    const again = lmdbStorage({ path });
    const { log } = await again.open();
    await again.persist(appendingBytes(2, mebibyte));
    await again.close();
    expect(log.lastIndex).toBe(1);
  });

  it('keeps a node from starting', async () => {
    disk.freeBytes = mebibyte;

    const error = await lmdbStorage({ path: newPath() })
      .open()
      .catch((each: unknown) => each);

    expect((error as Error).message).toContain('the disk is full, or nearly (ENOSPC)');
  });
});
