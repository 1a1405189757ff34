import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Index } from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { appending } from './batches.ts';

async function lastIndexOn(disk: ReturnType<typeof memoryDisk>): Promise<Index> {
  const storage = memoryStorage({ disk });
  const { log } = await storage.open();
  await storage.close();
  return log.lastIndex;
}

/** What a promise has come to by now. */
async function outcomeOf(promise: Promise<unknown>): Promise<'resolved' | 'rejected' | 'pending'> {
  const later = new Promise((resolve) => setTimeout(resolve, 5)).then(() => 'pending' as const);
  return Promise.race([
    promise.then(
      () => 'resolved' as const,
      () => 'rejected' as const,
    ),
    later,
  ]);
}

describe('a disk in memory', () => {
  it('keeps what a killed process had written and not flushed', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    await storage.open();
    disk.plan({ type: 'hang' });
    const persisted = storage.persist(appending(1, 2));

    disk.kill();

    expect(await outcomeOf(persisted)).toBe('pending');
    expect(await lastIndexOn(disk)).toBe(2);
  });

  it('drops at a power loss what was not flushed', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    await storage.open();
    await storage.persist(appending(1));
    disk.plan({ type: 'hang' });
    const persisted = storage.persist(appending(2, 3));

    disk.losePower();

    expect(await outcomeOf(persisted)).toBe('pending');
    expect(await lastIndexOn(disk)).toBe(1);
  });

  it('keeps the whole of a transaction whose flush was just through when the power went', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    await storage.open();
    disk.plan({ type: 'hang' });
    const persisted = storage.persist(appending(1, 2));

    disk.losePower({ keepsUnflushed: true });

    expect(await outcomeOf(persisted)).toBe('pending');
    expect(await lastIndexOn(disk)).toBe(2);
  });

  it('drops what a killed process had written if the power goes before the next start has flushed it', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    await storage.open();
    disk.plan({ type: 'hang' });
    const persisted = storage.persist(appending(1));
    disk.kill();
    disk.plan({ type: 'hang' });
    const opened = memoryStorage({ disk }).open();

    disk.losePower();

    expect(await outcomeOf(persisted)).toBe('pending');
    expect(await outcomeOf(opened)).toBe('pending');
    expect(await lastIndexOn(disk)).toBe(0);
  });

  it('takes nothing from a process that was killed', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    await storage.open();
    disk.kill();

    const persisted = storage.persist(appending(1));

    expect(await outcomeOf(persisted)).toBe('pending');
    await storage.close();
    expect(await lastIndexOn(disk)).toBe(0);
  });

  it('holds a write that hangs until it is released', async () => {
    const disk = memoryDisk();
    const storage = memoryStorage({ disk });
    await storage.open();
    disk.plan({ type: 'hang' }, 2);
    await storage.persist(appending(1));
    const persisted = storage.persist(appending(2));
    const before = await outcomeOf(persisted);

    disk.release();

    expect(before).toBe('pending');
    expect(await outcomeOf(persisted)).toBe('resolved');
  });

  it('flushes when its scheduler says so', async () => {
    const scheduler = new VirtualTimeScheduler();
    const disk = memoryDisk({ scheduler, flushDelayMs: 3 });
    const opened = memoryStorage({ disk }).open();
    const before = await outcomeOf(opened);

    scheduler.flush();

    expect(before).toBe('pending');
    expect(await outcomeOf(opened)).toBe('resolved');
    expect(scheduler.now()).toBe(3);
  });

  it('delays a write by as much as was planned', async () => {
    const scheduler = new VirtualTimeScheduler();
    const disk = memoryDisk({ scheduler, flushDelayMs: 3 });
    disk.plan({ type: 'delay', delayMs: 40 });
    const opened = memoryStorage({ disk }).open();

    scheduler.flush();

    expect(await outcomeOf(opened)).toBe('resolved');
    expect(scheduler.now()).toBe(43);
  });
});
