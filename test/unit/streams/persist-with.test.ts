import { asyncScheduler, type SchedulerLike, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { index, type PersistReq, term } from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { type DiskWork, persistWith } from '../../../src/streams/persist-with.ts';
import { VirtualScheduler } from '../../../src/testing/virtual-scheduler.ts';
import { batchOf } from './batches.ts';

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A storage, and for each of its transactions the requests in it, and whether the machine's data went along. */
async function noted(scheduler: SchedulerLike = asyncScheduler) {
  const storage = memoryStorage({ disk: memoryDisk({ storeId: 's1' }) });
  await storage.open();
  const withMachine: (boolean | undefined)[] = [];
  const transactions: number[][] = [];
  const persist: Storage['persist'] = (requests, options) => {
    withMachine.push(options?.withMachine);
    transactions.push(requests.map(({ seq }) => seq));
    return storage.persist(requests, options);
  };
  const work$ = new Subject<DiskWork>();
  persistWith(
    { persist, install: (request) => storage.install(request), machineStore: storage.machineStore },
    scheduler,
  )(work$).subscribe();
  const log = async (seq: number) => {
    work$.next({ type: 'persistReq', seq, batches: [] } satisfies PersistReq);
    await turn();
  };
  const put = (key: number, bytes: number) =>
    storage.machineStore.put(Uint8Array.of(key >> 8, key), new Uint8Array(bytes));
  return { withMachine, transactions, work$, log, put };
}

describe("the machine's data", () => {
  it('stay behind when the log is written', async () => {
    const { withMachine, log, put } = await noted();
    put(1, 1);

    await log(1);

    expect(withMachine).toEqual([false]);
  });

  it('go when their time has come, with what the log has to write', async () => {
    const { withMachine, work$, log, put } = await noted();
    put(1, 1);
    void log(1); // Under way: what comes meanwhile is one transaction.

    work$.next({ type: 'flushMachine' });
    await log(2);
    await turn();

    expect(withMachine).toEqual([false, true]);
  });

  it('go along with the log when they are many', async () => {
    const { withMachine, log, put } = await noted();
    for (let key = 0; key < 4096; key++) put(key, 1);
    await log(1);

    await log(2);

    expect(withMachine).toEqual([true, false]);
  });

  it('go along with the log when they are large', async () => {
    const { withMachine, log, put } = await noted();
    put(1, 4 * 1024 * 1024);
    await log(1);

    await log(2);

    expect(withMachine).toEqual([true, false]);
  });
});

describe('entries that are committed already', () => {
  const committed = (seq: number, batches: PersistReq['batches'] = []): DiskWork => ({
    type: 'committed',
    request: { type: 'persistReq', seq, batches },
  });

  it('go with the next transaction, so that no machine that has applied them is flushed before them', async () => {
    const { work$, transactions, withMachine, put } = await noted(new VirtualScheduler());

    work$.next(committed(1));
    work$.next(committed(2));
    put(1, 1);
    await turn();
    expect(transactions).toEqual([]);
    work$.next({ type: 'flushMachine' });
    await turn();

    expect(transactions).toEqual([[1, 2]]);
    expect(withMachine).toEqual([true]);
  });

  it('go by themselves after 10 ms', async () => {
    const scheduler = new VirtualScheduler();
    const { work$, transactions } = await noted(scheduler);

    work$.next(committed(1));
    scheduler.advanceTo(9);
    await turn();
    expect(transactions).toEqual([]);
    scheduler.advanceTo(10);
    await turn();

    expect(transactions).toEqual([[1]]);
  });

  it('go by themselves once they are half a mebibyte', async () => {
    const { work$, transactions } = await noted(new VirtualScheduler());

    work$.next(committed(1, [batchOf(1, ['x'.repeat(300 * 1024)])]));
    await turn();
    expect(transactions).toEqual([]);
    work$.next(committed(2, [batchOf(2, ['x'.repeat(300 * 1024)])]));
    await turn();

    expect(transactions).toEqual([[1, 2]]);
  });

  it('come before a compaction that was asked for after them', async () => {
    const { work$, transactions } = await noted(new VirtualScheduler());

    work$.next(committed(1, [batchOf(1, ['a'])]));
    work$.next({ type: 'compactLogReq', seq: 2, through: index(1), throughTerm: term(1) });
    await turn();

    expect(transactions).toEqual([[1, 2]]);
  });

  it('are durable before a snapshot that was asked for after them takes its place', async () => {
    const { work$, transactions } = await noted(new VirtualScheduler());
    const done: { readonly transactions: number; readonly isInstalled: boolean }[] = [];
    const request = { transferId: 'none', index: index(1), logTimeMs: 0, log: null };

    work$.next(committed(1));
    work$.next({
      type: 'install',
      request,
      done: (isInstalled) => done.push({ transactions: transactions.length, isInstalled }),
    });
    await turn();
    await turn();

    expect(transactions[0]).toEqual([1]);
    expect(done).toEqual([{ transactions: 1, isInstalled: false }]);
  });
});
