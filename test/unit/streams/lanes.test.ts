import { asapScheduler, asyncScheduler } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type EntryBatch,
  encodedBytesOf,
  type Input,
  index,
  type PersistReq,
  term,
} from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { LogLane } from '../../../src/streams/log-lane.ts';
import { MachineLane, type MachineLaneOptions } from '../../../src/streams/machine-lane.ts';
import type { StateMachine } from '../../../src/streams/state-machine.ts';
import { VirtualScheduler } from '../../../src/testing/virtual-scheduler.ts';
import { batchOf } from './batches.ts';
import { wordsMachine } from './words.ts';

const scheduler = new VirtualScheduler();

function logLaneOn(storage: Storage, { bytesSinceSnapshot = 0 } = {}): LogLane {
  const fail = (error: unknown) => {
    throw error;
  };
  return new LogLane(storage, {
    timeScheduler: scheduler,
    clock: () => scheduler.now(),
    bytesSinceSnapshot,
    input: () => {},
    onError: fail,
  });
}

const write = (batches: readonly EntryBatch[], truncateFrom?: number): PersistReq => ({
  type: 'persistReq',
  seq: 1,
  ...(truncateFrom !== undefined && { truncateFrom: index(truncateFrom) }),
  batches,
});

describe('the bytes since the last snapshot', () => {
  it('go on from what a start has found, until the next snapshot', () => {
    const storage: Storage = { ...memoryStorage(), machineStore: memoryStorage().machineStore };
    const persist: Storage['persist'] = async () => ({ seq: 1, durableAppliedIndex: index(0) });
    const log = logLaneOn({ ...storage, persist }, { bytesSinceSnapshot: 1000 });
    const batches = [batchOf(1, ['a'])];

    const found = log.bytesSinceSnapshot;
    log.persist(write(batches));

    expect(found).toBe(1000);
    expect(log.bytesSinceSnapshot).toBe(1000 + encodedBytesOf(batches));
    log.noteSnapshot();
    expect(log.bytesSinceSnapshot).toBe(0);
  });
});

describe('a request for the disk', () => {
  /** A lane whose core knows that everything through index 2 is committed, and what its disk was asked for. */
  function lane() {
    const scheduler = new VirtualScheduler();
    const asked: number[] = [];
    const storage: Storage = {
      ...memoryStorage(),
      machineStore: memoryStorage().machineStore,
      persist: async (requests) => {
        asked.push(...requests.map(({ seq }) => seq));
        return { seq: 1, durableAppliedIndex: index(0) };
      },
    };
    const log = new LogLane(storage, {
      timeScheduler: scheduler,
      clock: () => scheduler.now(),
      bytesSinceSnapshot: 0,
      input: () => {},
      onError: () => {},
    });
    log.follow({ durableIndex: index(0), commitIndex: index(2), lastApplied: index(0) });
    return { log, asked, scheduler };
  }

  it('waits for more if its entries are committed, so that those whose writes are waited for have the disk', () => {
    const { log, asked, scheduler } = lane();

    log.persist(write([batchOf(1, ['a', 'b'])]));
    expect(asked).toEqual([]);
    scheduler.advanceTo(10);

    expect(asked).toEqual([1]);
  });

  it('goes at once if an entry is not committed yet', () => {
    const { log, asked } = lane();

    log.persist(write([batchOf(1, ['a', 'b']), batchOf(3, ['c'])]));

    expect(asked).toEqual([1]);
  });

  it('goes at once if it brings a term, or truncates', () => {
    const withTerm = lane();
    withTerm.log.persist({
      ...write([batchOf(1, ['a'])]),
      hardState: { currentTerm: term(1), votedFor: null },
    });
    const truncating = lane();
    truncating.log.persist(write([batchOf(1, ['a'])], 1));

    expect([withTerm.asked, truncating.asked]).toEqual([[1], [1]]);
  });
});

describe("the machine's data", () => {
  /** Sets so many keys at time 0, and tells when the data were flushed. */
  async function flushedAt(keys: number, more: (log: LogLane) => void = () => undefined): Promise<number[]> {
    const timers = new VirtualScheduler();
    const storage = memoryStorage();
    await storage.open();
    const times: number[] = [];
    const persist: Storage['persist'] = async (requests, options) => {
      if (options?.withMachine === true) times.push(timers.now());
      return storage.persist(requests, options);
    };
    const log = new LogLane(
      { ...storage, machineStore: storage.machineStore, persist },
      {
        timeScheduler: timers,
        clock: () => timers.now(),
        bytesSinceSnapshot: 0,
        input: () => {},
        onError: () => {},
      },
    );
    for (let key = 0; key < keys; key++)
      storage.machineStore.put(Uint8Array.of(key >> 8, key), Uint8Array.of(1));
    log.noteMachineChange();
    log.noteMachineChange();
    more(log);
    timers.advanceTo(2_000);
    return times;
  }

  it('are flushed 250 ms after they changed while few keys wait, and after 100 ms if many do', async () => {
    expect(await flushedAt(0)).toEqual([]);
    expect(await flushedAt(1)).toEqual([250]);
    expect(await flushedAt(1023)).toEqual([250]);
    expect(await flushedAt(1024)).toEqual([100]);
  });

  it('are not flushed by time once the lane is abandoned', async () => {
    expect(await flushedAt(1, (log) => log.abandon())).toEqual([]);
  });

  it('leave no timer behind, which would keep the process', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    for (const end of ['complete', 'abandon'] as const) {
      const log = new LogLane(
        { ...memoryStorage(), machineStore: memoryStorage().machineStore },
        {
          timeScheduler: asyncScheduler,
          clock: () => 0,
          bytesSinceSnapshot: 0,
          input: () => {},
          onError: () => {},
        },
      );

      log.noteMachineChange();
      expect(vi.getTimerCount()).toBe(1);
      void log[end]();
      expect(vi.getTimerCount()).toBe(0);
    }
  });
});

describe('a reading of the log', () => {
  it('that was answered late lets the next one be answered earlier, so that the pace is kept', async () => {
    const clock = { now: 0 };
    const timers = new VirtualScheduler();
    const answeredAt: number[] = [];
    const storage: Storage = {
      ...memoryStorage(),
      machineStore: memoryStorage().machineStore,
      persist: async () => ({ seq: 1, durableAppliedIndex: index(0) }),
      readLog: async () => [batchOf(1, ['a'.repeat(512 * 1024)])], // 31.3 ms at 16 MiB a second.
    };
    const lane = new LogLane(storage, {
      timeScheduler: timers,
      clock: () => clock.now,
      bytesSinceSnapshot: 0,
      input: () => answeredAt.push(clock.now),
      onError: () => {},
    });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    lane.persist(write([batchOf(2, ['b'])]));

    lane.answer({ type: 'readLogReq', seq: 1, from: index(1), maxBytes: 1 });
    await turn();
    clock.now = 36; // The timer of 31 ms fires 5 ms late.
    timers.advanceTo(31);
    lane.answer({ type: 'readLogReq', seq: 2, from: index(1), maxBytes: 1 });
    await turn();
    clock.now = 62;
    timers.advanceTo(31 + 26); // Of 26.5, which are rounded.
    expect(answeredAt).toEqual([36]);
    clock.now = 63;
    timers.advanceTo(31 + 27);

    expect(answeredAt).toEqual([36, 63]);
  });

  it('that a truncation overtakes is taken anew', async () => {
    const old = [batchOf(1, ['a']), batchOf(2, ['old'])];
    let finish: ((batches: readonly EntryBatch[]) => void) | undefined;
    let readings = 0;
    const storage: Storage = {
      ...memoryStorage(),
      machineStore: memoryStorage().machineStore,
      persist: async () => ({ seq: 1, durableAppliedIndex: index(0) }),
      readLog: () => {
        readings += 1;
        return readings > 1
          ? Promise.resolve([batchOf(1, ['a']), batchOf(2, ['new'], 2)])
          : new Promise((resolve) => {
              finish = resolve;
            });
      },
    };
    const lane = logLaneOn(storage);

    const reading = lane.read({ from: index(1), maxBytes: 1000 });
    lane.persist(write([batchOf(2, ['new'], 2)], 2));
    lane.follow({ durableIndex: index(2), commitIndex: index(0), lastApplied: index(0) });
    lane.evict();
    finish?.(old);

    expect((await reading) as readonly EntryBatch[]).toEqual([batchOf(1, ['a'])]);
    expect(readings).toBe(2);
  });

  it('gives nothing that a truncation asked for before has replaced, though the cache has let go of it meanwhile', async () => {
    const words = (word: string) => [word.repeat(100_000)];
    const old = [batchOf(1, words('a')), batchOf(2, words('old'))];
    let finish: ((batches: readonly EntryBatch[]) => void) | undefined;
    const storage: Storage = {
      ...memoryStorage(),
      machineStore: memoryStorage().machineStore,
      persist: async () => ({ seq: 1, durableAppliedIndex: index(0) }),
      readLog: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    };
    const lane = logLaneOn(storage);
    const later = [2, 3, 4].map((at) => batchOf(at, words('new'), 2));
    lane.persist(write(later, 2));

    const reading = lane.read({ from: index(1), maxBytes: 1_000_000 });
    lane.follow({ durableIndex: index(4), commitIndex: index(4), lastApplied: index(4) });
    lane.evict();
    expect(lane.batchAt(index(2))).toBeUndefined();
    finish?.(old);

    expect(await reading).toEqual([old[0]]);
  });

  it('sees what has been asked for and is not durable', async () => {
    const storage = memoryStorage();
    await storage.open();
    const lane = logLaneOn(storage);
    const batches = [batchOf(1, ['a']), batchOf(2, ['b'])];

    lane.persist(write(batches));

    expect(await lane.read({ from: index(1), maxBytes: 1000 })).toEqual(batches);
    await lane.complete();
    await storage.close();
  });
});

/** A lane over a log that only the disk holds. */
function machineLane(
  machine: StateMachine<string, number, unknown, unknown>,
  more: Partial<MachineLaneOptions<string, number>> = {},
): { lane: MachineLane<string, number>; inputs: Input[]; applied: string[]; errors: unknown[] } {
  const inputs: Input[] = [];
  const applied: string[] = [];
  const errors: unknown[] = [];
  const lane = new MachineLane({
    machine,
    store: memoryStorage().machineStore,
    appliedIndex: index(0),
    logTimeMs: 0,
    turnScheduler: asapScheduler,
    batchAt: () => undefined,
    readLog: async () => [],
    durableIndex: () => index(1000),
    input: (input) => inputs.push(input),
    onApplied: (_batch, commands) => applied.push(...commands),
    onConfirmed: ({ id }) => applied.push(`read ${id}`),
    onTakeSnapshot: ({ seq }, view) => applied.push(`view ${seq} of ${view.index}`),
    onInstallSnapshot: async () => true,
    onInstalled: () => applied.push('installed'),
    onLogError: (error) => errors.push(['log', error]),
    onMachineError: (error) => errors.push(['machine', error]),
    ...more,
  });
  return { lane, inputs, applied, errors };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the machine lane', () => {
  it('keeps of what it read only what is committed', async () => {
    let log = [batchOf(1, ['a']), batchOf(2, ['old'])];
    const { lane, applied } = machineLane(wordsMachine(), {
      readLog: async (from) => log.filter((batch) => batch.index >= from),
    });

    lane.add({ type: 'applyReq', seq: 1, through: index(1) });
    await turn();
    log = [batchOf(1, ['a']), batchOf(2, ['new'], 2)];
    lane.add({ type: 'applyReq', seq: 2, through: index(2) });
    await turn();

    expect(applied).toEqual(['a', 'new']);
  });

  it('carries out requests in their order, also when applying takes its time', async () => {
    const machine = wordsMachine();
    const slow: typeof machine = {
      ...machine,
      apply: (commands, at) =>
        new Promise((resolve) => setTimeout(() => resolve(machine.apply(commands, at)), 5)),
    };
    const { lane, applied, inputs } = machineLane(slow, { batchAt: (at) => batchOf(at, [`w${at}`]) });

    lane.add({ type: 'applyReq', seq: 1, through: index(2) });
    lane.add({ type: 'readStateMachineReq', id: 7, index: index(2) });
    lane.add({ type: 'applyReq', seq: 2, through: index(3) });
    lane.add({ type: 'readStateMachineReq', id: 8, index: index(3) });
    while (applied.length < 5) await turn();

    expect(applied).toEqual(['w1', 'w2', 'read 7', 'w3', 'read 8']);
    expect(inputs).toMatchObject([
      { seq: 1, appliedIndex: 2 },
      { seq: 2, appliedIndex: 3 },
    ]);
  });

  it("gives a machine with a storage of its own only what this node's disk holds", () => {
    let durable = index(1);
    const { lane, applied } = machineLane(
      { ...wordsMachine(), keeps: 'own' },
      { batchAt: (at) => batchOf(at, [`w${at}`]), durableIndex: () => durable },
    );

    lane.add({ type: 'applyReq', seq: 1, through: index(2) });
    expect(applied).toEqual(['w1']);

    durable = index(2);
    lane.onFlushed(index(0));
    expect(applied).toEqual(['w1', 'w2']);
  });

  it('gives way to the event loop after some thousand commands', async () => {
    const words = Array.from({ length: 3000 }, () => 'w');
    const { lane, applied } = machineLane(wordsMachine(), {
      batchAt: (at) => (at <= 9001 ? batchOf(at, words) : undefined),
    });

    lane.add({ type: 'applyReq', seq: 1, through: index(9000) });

    expect(applied.length).toBe(6000);
    while (applied.length < 9000) await turn();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['gives too few results', () => []],
    ['gives too few results later', () => Promise.resolve([])],
  ])('reports a machine that %s, and never runs again', async (_what, apply) => {
    const { lane, applied, errors } = machineLane(
      { ...wordsMachine(), apply },
      { batchAt: (at) => batchOf(at, ['w']) },
    );

    lane.add({ type: 'applyReq', seq: 1, through: index(1) });
    await turn();
    lane.add({ type: 'readStateMachineReq', id: 7, index: index(1) });

    expect(errors).toHaveLength(1);
    expect(errors).toMatchObject([['machine', expect.any(Error)]]);
    expect(applied).toEqual([]);
  });

  it('refuses a machine that keeps its data in the store and takes its time', () => {
    const { lane, errors } = machineLane(
      { ...wordsMachine(), keeps: 'store', apply: async () => [1] },
      { batchAt: (at) => batchOf(at, ['w']) },
    );

    lane.add({ type: 'applyReq', seq: 1, through: index(1) });

    expect(String(errors)).toContain('must apply synchronously');
  });

  it('reports a log that lacks what is to be applied', async () => {
    const { lane, errors } = machineLane(wordsMachine(), { readLog: async () => [batchOf(5, ['w'])] });

    lane.add({ type: 'applyReq', seq: 1, through: index(5) });
    await turn();

    expect(errors).toMatchObject([['log', { message: expect.stringContaining('begins at 1') }]]);
  });
});

describe('the machine lane around a snapshot', () => {
  it('is a barrier: what was asked for before comes before, the rest after', async () => {
    let install: (isInstalled: boolean) => void = () => {};
    const { lane, applied, inputs } = machineLane(wordsMachine(), {
      batchAt: (at) => batchOf(at, [`w${at}`]),
      onInstallSnapshot: () => new Promise((resolve) => (install = resolve)),
    });
    const configuration = {
      index: index(0),
      configuration: { voters: [], votersOutgoing: [], learners: [] },
    };
    const snapshot = { index: index(9), term: term(1), logTimeMs: 5, configuration };

    lane.add({ type: 'applyReq', seq: 1, through: index(2) });
    lane.add({ type: 'installSnapshotReq', seq: 1, transferId: 't', snapshot, keepsSuffix: true });
    lane.add({ type: 'applyReq', seq: 2, through: index(10) });
    lane.add({ type: 'takeSnapshotReq', seq: 2 });
    lane.onFlushed(index(2));
    await turn();
    expect(applied).toEqual(['w1', 'w2']);
    install(true);
    await turn();

    expect(applied).toEqual(['w1', 'w2', 'installed', 'w10', 'view 2 of 10']);
    expect(inputs).toContainEqual({ type: 'installSnapshotRes', seq: 1, isInstalled: true });
  });
});
