import { describe, expect, it } from 'vitest';
import {
  type Input,
  type InstallSnapshotReq,
  index,
  index0,
  term,
  votersOnly,
} from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import { LogLane } from '../../../src/streams/log-lane.ts';
import { Snapshots } from '../../../src/streams/snapshots.ts';
import { VirtualScheduler } from '../../../src/testing/virtual-scheduler.ts';
import { batchOf } from './batches.ts';
import { noteMachine } from './note-machine.ts';
import { type WordsMachine, wordsMachine } from './words.ts';

const configuration = votersOnly([{ id: 'n1', storeId: 's', url: 'ws://127.0.0.1:1' }]);

/** The lanes of a node whose machine has applied what is not flushed yet. */
async function node(machine: WordsMachine | ReturnType<typeof noteMachine> = noteMachine([])) {
  const scheduler = new VirtualScheduler();
  const disk = memoryDisk({ scheduler });
  const storage = memoryStorage({ disk });
  const run = async <Value>(work: Promise<Value>): Promise<Value> => {
    let isDone = false;
    void work.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      scheduler.advanceTo(scheduler.now() + 1);
      await new Promise(setImmediate);
    }
    return work;
  };
  await run(storage.open());
  await run(storage.found({ clusterId: 'c', configuration }));
  const inputs: Input[] = [];
  const fail = (error: unknown) => expect.unreachable(String(error));
  const input = (each: Input) => void inputs.push(each);
  const now = () => scheduler.now();
  const log = new LogLane(storage, {
    timeScheduler: scheduler,
    clock: now,
    bytesSinceSnapshot: 0,
    input,
    onError: fail,
  });
  const quiet = () => undefined;
  const snapshots = new Snapshots({
    group: 0,
    machine,
    storage,
    log,
    commitIndex: () => index(1),
    inLane: quiet,
    send: () => true,
    input,
    now,
    onError: fail,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  log.persisted$.subscribe(({ durableAppliedIndex }) => snapshots.onFlushed(durableAppliedIndex));
  await machine.open(storage.machineStore);
  log.persist({ type: 'persistReq', seq: 1, batches: [batchOf(1, ['a'])] });
  storage.machineStore.put(Uint8Array.of(7), Uint8Array.of(7));
  storage.machineStore.advance(index(1), 0);
  return { run, disk, storage, log, snapshots, inputs };
}

/** The core wants the snapshot that was staged as `t` to be switched to. */
function installReq(at: number): InstallSnapshotReq {
  const snapshot = {
    index: index(at),
    term: term(2),
    logTimeMs: 5,
    configuration: { index: index0, configuration },
  };
  return { type: 'installSnapshotReq', seq: 2, transferId: 't', keepsSuffix: false, snapshot };
}

describe('a snapshot that waits for a flush', () => {
  it('is taken, too, when one of the leader is installed before that flush', async () => {
    const { run, disk, storage, log, snapshots, inputs } = await node();
    const stage = await run(storage.stage('t'));
    const bytes = encodeChunk([[Uint8Array.of(1), Uint8Array.of(2)]]);
    await run(stage.append({ number: 0, bytes, isLast: true }));
    disk.plan({ type: 'delay', delayMs: 50 });
    log.persist({
      type: 'persistReq',
      seq: 2,
      hardState: { currentTerm: term(2), votedFor: null },
      batches: [],
    });

    snapshots.take({ type: 'takeSnapshotReq', seq: 1 }, { index: index(2), logTimeMs: 0 });
    const installed = await run(snapshots.install(installReq(100)));

    expect(installed).toBe(true);
    expect(inputs).toEqual([{ type: 'takeSnapshotRes', seq: 1, index: 2 }]);
  });
});

describe('a snapshot of its own that a node is taking', () => {
  it('is no matter to one of the leader, should the machine fail to give it', async () => {
    function* pieces(): Generator<Uint8Array> {
      yield new Uint8Array(1);
      throw new Error('a Map has no form');
    }
    const restored: number[] = [];
    const restore: WordsMachine['restore'] = (_, at) => void restored.push(at);
    const { run, storage, snapshots, inputs } = await node({
      ...wordsMachine(),
      snapshot: pieces,
      restore,
    });
    const stage = await run(storage.stage('t'));
    await run(
      stage.append({ number: 0, bytes: encodeChunk([[Uint8Array.of(0), Uint8Array.of(2)]]), isLast: true }),
    );
    snapshots.take({ type: 'takeSnapshotReq', seq: 1 }, { index: index(1), logTimeMs: 0 });

    const installed = snapshots.install(installReq(5));

    expect([await run(installed), inputs]).toEqual([
      false,
      [{ type: 'takeSnapshotRes', seq: 1, index: index(1) }],
    ]);
    expect(restored).toEqual([]);
  });
});
