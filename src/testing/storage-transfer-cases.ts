import { index } from '../core/index.ts';
import type { SnapshotChunk, Storage } from '../storage/storage.ts';
import { same } from './same.ts';
import {
  batchOf,
  claim,
  conform,
  ignored,
  indexesOf,
  key,
  type OpenPlace,
  rejects,
  request,
  type StorageConformanceCase,
} from './storage-kit.ts';
import {
  beginOld,
  newChunks,
  newEntries,
  oldEntries,
  receive,
  sameData,
  switchTo,
} from './storage-snapshot-kit.ts';

/** What every storage does while a snapshot comes in, chunk by chunk. */
export const storageTransferCases: readonly StorageConformanceCase[] = [
  conform('goes on with a transfer after a restart, chunk by chunk', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);

    for (const chunk of chunks) {
      const stage = await place.current.stage('t1');
      same('next', [stage.nextChunk, stage.isComplete], [chunk.number, false]);
      await stage.append(chunk);
      await place.reopen();
      sameData('meanwhile', place, oldEntries);
    }

    same('complete', (await place.current.stage('t1')).isComplete, true);
    same('installed', await place.current.install(switchTo('t1')), true);
    await place.reopen();
    sameData('then', place, newEntries);
    same('nothing is staged', (await place.current.stage('t1')).nextChunk, 0);
  }),
  conform('has one transfer at a time, and mixes no two', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const first = await place.current.stage('t1');
    await first.append(chunks[0] as SnapshotChunk);
    await first.append(chunks[1] as SnapshotChunk);

    const second = await place.current.stage('t2');

    const late = first.append(chunks[2] as SnapshotChunk);
    await rejects('a chunk of the first', 'RAFT_BAD_SNAPSHOT', late);
    same('the second', [second.nextChunk, first.nextChunk, first.isComplete], [0, 0, false]);
    await place.reopen();
    same('the first is gone', (await place.current.stage('t1')).nextChunk, 0);
    await place.apply(5, { old: '2' });
    const empty = { number: 0, bytes: Uint8Array.of(1), isLast: true };
    await (await place.current.stage('t3')).append(empty);
    await place.current.install(switchTo('t3'));
    sameData('of an empty one', place, []);
  }),
  conform('hands on a value of 2 MB, over restarts on both sides', async (place, other) => {
    const entries = { a: '1', big: 'v'.repeat(2_000_000), z: '2' };
    await other.begin();
    await other.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    await other.apply(1, entries);
    await beginOld(place);

    for (let isComplete = false; !isComplete; ) {
      const stage = await place.current.stage('t1');
      const view = other.current.viewMachine();
      for (const _ of [1, 2, 3, 4]) {
        const chunk = view.chunk(stage.nextChunk);
        if (chunk === undefined) break;
        claim('no chunk is large', chunk.bytes.byteLength <= 256 * 1024);
        await stage.append(chunk);
      }
      isComplete = stage.isComplete;
      await place.reopen();
      await other.reopen();
    }

    same('installed', await place.current.install(switchTo('t1')), true);
    sameData('then', place, Object.entries(entries));
    await place.reopen();
    sameData('after a restart', place, Object.entries(entries));
  }),
  conform('takes the chunk that is next, and no other', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const stage = await place.current.stage('t1');
    await stage.append(chunks[0] as SnapshotChunk);

    await rejects('the same', 'RAFT_BAD_SNAPSHOT', stage.append(chunks[0] as SnapshotChunk));
    await rejects('a later one', 'RAFT_BAD_SNAPSHOT', stage.append(chunks[2] as SnapshotChunk));

    for (const chunk of chunks.slice(1)) await stage.append(chunk);
    const beyond = { ...(chunks[0] as SnapshotChunk), number: chunks.length };
    await rejects('one beyond the last', 'RAFT_BAD_SNAPSHOT', stage.append(beyond));
    same('installed', await place.current.install(switchTo('t1')), true);
    sameData('then', place, newEntries);
  }),
  conform('writes the log while chunks come in', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const receiving = receive(place.current, 't1', chunks);
    for (let at = 6; at <= 20; at++) {
      place.machine.put(key('during'), key(String(at)));
      place.machine.advance(index(at), at * 10);
      await place.current.persist([request({ seq: at, batches: [batchOf(at)] })]);
    }
    await receiving;

    const { log } = await place.reopen();

    same('log', [log.lastIndex, place.machine.appliedIndex], [20, 20]);
    same('machine', place.machine.get(key('during')), key('20'));
    const kept = switchTo('t1', { inTerm: 1, keepsSuffix: true });
    same('installed', await place.current.install(kept), true);
    same('rest', indexesOf(await place.read(9)).length, 12);
    sameData('then', place, newEntries);
  }),
  ...(['kill', 'losePower'] as const).map((kind) =>
    conform(
      `ends anywhere in a transfer with the old data or the new, and goes on from there: ${kind}`,
      async (_, other, make) => {
        const chunks = await newChunks(other);
        const seen = new Set<string>();
        for (let finished = 0; finished <= chunks.length + 2; finished++) {
          const place = await make();
          await beginOld(place);
          const steps = stepsOf(place.current, chunks);
          for (const step of steps.slice(0, finished)) await step();
          ignored(steps[finished]?.());
          for (let turn = 0; turn < 20; turn++) await Promise.resolve(); // It has begun to write.

          await place.fault(kind);

          seen.add(await checkEnd(place, chunks));
        }
        claim(`it ended before, amid and after the transfer: ${[...seen]}`, seen.size === 3);
      },
      [kind],
    ),
  ),
];

/** A transfer and its installation, write by write. */
function stepsOf(storage: Storage, chunks: readonly SnapshotChunk[]): readonly (() => Promise<unknown>)[] {
  return [
    () => storage.stage('t1'),
    ...chunks.map((chunk) => async () => (await storage.stage('t1')).append(chunk)),
    () => storage.install(switchTo('t1')),
  ];
}

/** The store is as before the switch, its stage can be gone on with, or as after it. */
async function checkEnd(place: OpenPlace, chunks: readonly SnapshotChunk[]): Promise<string> {
  const { log, configurations } = await place.open();
  const isNew = place.machine.appliedIndex === 8;
  sameData('after the end', place, isNew ? newEntries : oldEntries);
  same('applied', place.machine.appliedIndex, isNew ? 8 : 3);
  same('log', [log.startIndex, log.lastIndex], isNew ? [8, 8] : [0, 5]);
  same('configurations', configurations.length, isNew ? 1 : 2);
  if (isNew) return 'after';
  const { nextChunk } = await place.current.stage('t1');
  await receive(place.current, 't1', chunks);
  same('installed', await place.current.install(switchTo('t1')), true);
  sameData('when it went on', place, newEntries);
  return nextChunk === 0 ? 'before' : 'amid';
}
