import { memoryDisk, memoryStorage } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { index } from '../../../src/core/index.ts';
import { encodePiece } from '../../../src/storage/snapshot-piece.ts';

const key = Uint8Array.of(1);
const piece = (number: number, isEnd = false) => encodePiece({ key, bytes: Uint8Array.of(number), isEnd });

/** A store with two pieces of a value staged. */
async function staging() {
  const disk = memoryDisk();
  const storage = memoryStorage({ disk });
  await storage.open();
  const stage = await storage.stage('t');
  for (const number of [0, 1]) await stage.append({ number, bytes: piece(number), isLast: false });
  return { disk, storage, stage };
}

describe('a value that comes in pieces', () => {
  it('is not whole when the snapshot ends before it', async () => {
    const { storage, stage } = await staging();

    const appended = await stage.append({ number: 2, bytes: piece(2), isLast: true }).then(
      () => 'appended',
      ({ code }: { code: string }) => code,
    );

    expect(appended).toBe('RAFT_BAD_SNAPSHOT');
    expect(await storage.install({ transferId: 't', index: index(0), logTimeMs: 0, log: null })).toBe(false);
  });

  it('keeps its pieces while what is not in use is swept away', async () => {
    const { disk, storage } = await staging();
    await storage.close();
    const again = memoryStorage({ disk });
    await again.open();
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));

    const stage = await again.stage('t');
    const appended = await stage.append({ number: 2, bytes: piece(2, true), isLast: true }).then(
      () => 'appended',
      ({ code }: { code: string }) => code,
    );

    expect(appended).toBe('appended');
    await again.install({ transferId: 't', index: index(0), logTimeMs: 0, log: null });
    expect([...(again.machineStore.get(key) ?? [])]).toEqual([0, 1, 2]);
  });
});
