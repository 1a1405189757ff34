import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Index, index, term, votersOnly } from '../../../src/core/index.ts';
import { type MemoryDisk, memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import type { SnapshotSwitch, Storage } from '../../../src/storage/storage.ts';
import { appending, batchAt } from './batches.ts';

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

const configuration = votersOnly([{ id: 'n1', storeId: 's', url: 'ws://n1:1' }]);
const bytes = encodeChunk([[Uint8Array.of(1), Uint8Array.of(2)]]);
const snapshot: SnapshotSwitch = {
  transferId: 't',
  index: index(2),
  logTimeMs: 20,
  log: { term: term(1), configuration: { index: index(1), configuration }, keepsSuffix: true },
};

/** A store with three batches and an old key, and a snapshot that is staged whole. */
async function withStage(disk: MemoryDisk): Promise<Storage> {
  const storage = memoryStorage({ disk });
  await storage.open();
  await storage.found({ clusterId: 'c', configuration });
  await storage.persist(appending(1, 2, 3));
  storage.machineStore.put(Uint8Array.of(9), Uint8Array.of(9));
  storage.machineStore.advance(index(1), 10);
  await storage.persist([]);
  const stage = await storage.stage('t');
  await stage.append({ number: 0, bytes, isLast: true });
  return storage;
}

/** The keys of the machine and where its log starts, after a restart. */
async function stateOn(disk: MemoryDisk): Promise<readonly unknown[]> {
  const storage = memoryStorage({ disk });
  const { log } = await storage.open();
  const { appliedIndex } = storage.machineStore;
  const found = [...storage.machineStore.range({})].map(([key]) => key[0]);
  await storage.close();
  return [found, appliedIndex, log.startIndex];
}

const before = [[9], 1, 0];
const afterwards = [[1], 2, 2];

describe('a snapshot that is switched to on a disk in memory', () => {
  it('is not there when the power goes before the flush, and is there when it goes after it', async () => {
    for (const keepsUnflushed of [false, true]) {
      const disk = memoryDisk();
      const storage = await withStage(disk);
      disk.plan({ type: 'hang' });
      const installed = storage.install(snapshot);

      expect(await outcomeOf(installed)).toBe('pending');
      disk.losePower({ keepsUnflushed });

      expect(await stateOn(disk)).toEqual(keepsUnflushed ? afterwards : before);
    }
  });

  it('is not seen before it is durable, and is seen at once then', async () => {
    const disk = memoryDisk();
    const storage = await withStage(disk);
    disk.plan({ type: 'hang' });
    const installed = storage.install(snapshot);
    await outcomeOf(installed);
    const meanwhile = [...storage.machineStore.range({})].map(([key]) => key[0]);

    disk.release();

    expect(await installed).toBe(true);
    expect(meanwhile).toEqual([9]);
    expect([...storage.machineStore.range({})].map(([key]) => key[0])).toEqual([1]);
    await storage.close();
  });

  it('stops the node when the disk refuses the switch, and the old data are there', async () => {
    const disk = memoryDisk();
    const storage = await withStage(disk);
    disk.plan({ type: 'fail' });

    await expect(storage.install(snapshot)).rejects.toMatchObject({ code: 'RAFT_STORE_FAILED' });

    await expect(storage.stage('t')).rejects.toMatchObject({ code: 'RAFT_STORE_FAILED' });
    await storage.close();
    expect(await stateOn(disk)).toEqual(before);
  });

  it('leaves on the disk the data in use and the last stage, and nothing of those before', async () => {
    const disk = memoryDisk();
    const storage = await withStage(disk);
    await storage.install(snapshot);
    const given = await storage.stage('given up');
    await given.append({ number: 0, bytes, isLast: false });
    await storage.stage('next');
    await storage.close();
    await stateOn(disk);

    const { generations, machine, stage } = disk.image;
    expect([...generations.keys()]).toEqual([machine.generation, stage?.generation]);
  });

  it('excludes a write of the log: that is a bug, and stops the node', async () => {
    const disk = memoryDisk();
    const storage = await withStage(disk);
    disk.plan({ type: 'hang' });
    const persisted = storage.persist([{ type: 'persistReq', seq: 4, batches: [batchAt(4)] }]);

    await expect(storage.install(snapshot)).rejects.toMatchObject({ code: 'RAFT_STORE_FAILED' });

    disk.release();
    expect(await outcomeOf(persisted)).toBe('resolved');
    await storage.close();
    expect(await stateOn(disk)).toEqual(before);
  });
});

describe('a chunk that is being written on a disk in memory', () => {
  it('does not keep a write of the log waiting, and a switch waits for it', async () => {
    const disk = memoryDisk();
    const storage = await withStage(disk);
    const stage = await storage.stage('u');
    disk.plan({ type: 'hang' });
    const appended = stage.append({ number: 0, bytes, isLast: true });
    await outcomeOf(appended);

    const persisted = storage.persist([{ type: 'persistReq', seq: 4, batches: [batchAt(4)] }]);

    expect(await outcomeOf(persisted)).toBe('resolved');
    const installed = storage.install({ ...snapshot, transferId: 'u' });
    expect(await outcomeOf(installed)).toBe('pending');
    disk.release();
    expect(await installed).toBe(true);
    expect(await appended).toBe(undefined);
    await storage.close();
    expect(await stateOn(disk)).toEqual(afterwards);
  });
});

describe('a storage that is discarded on a disk in memory', () => {
  const chunk = async (storage: Storage) =>
    (await storage.stage('u')).append({ number: 0, bytes, isLast: true });
  it.each([
    { what: 'a chunk', nth: 3, begin: chunk },
    { what: 'a stage', nth: 1, begin: (storage: Storage) => storage.stage('u') },
    { what: 'a switch', nth: 1, begin: (storage: Storage) => storage.install(snapshot) },
    { what: 'a slice of what it deletes', nth: 2, begin: (storage: Storage) => storage.install(snapshot) },
  ])('waits for $what that is being written, as does a close, and opens again', async ({ nth, begin }) => {
    const disk = memoryDisk();
    const storage = await withStage(disk);
    disk.plan({ type: 'hang' }, nth);
    const begun = begin(storage);
    await outcomeOf(begun);
    storage.machineStore.put(Uint8Array.of(7), Uint8Array.of(7));

    const endings = [storage.discard(), storage.close()] as const;

    expect(await Promise.all(endings.map(outcomeOf))).toEqual(['pending', 'pending']);
    disk.release();
    await Promise.all([begun, ...endings]);
    await storage.open();
    expect(storage.machineStore.get(Uint8Array.of(7))).toBe(undefined);
    await storage.close();
  });
});
