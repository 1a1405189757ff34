import { index } from '../core/index.ts';
import type { SnapshotChunk, Storage } from '../storage/storage.ts';
import { same } from './same.ts';
import {
  batchOf,
  claim,
  configurationBatch,
  configurationOf,
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
  badChunks,
  badPieces,
  beginOld,
  chunkBytes,
  chunksOf,
  newChunks,
  newEntries,
  oldEntries,
  pieceBytes,
  receive,
  sameData,
  snapshotConfiguration,
  switchTo,
  tinyChunk,
} from './storage-snapshot-kit.ts';

/** What every storage does about snapshots that come in. */
export const storageSnapshotCases: readonly StorageConformanceCase[] = [
  conform('receives a snapshot beside the data in use, and switches to it', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const stage = await place.current.stage('t1');
    const begun = [stage.transferId, stage.nextChunk, stage.isComplete];

    for (const chunk of chunks) await stage.append(chunk);

    same('begun', begun, ['t1', 0, false]);
    same('complete', [stage.nextChunk, stage.isComplete], [chunks.length, true]);
    sameData('before', place, oldEntries);
    same('installed', await place.current.install(switchTo('t1')), true);
    const check = () => {
      sameData('after', place, newEntries);
      same('applied', [place.machine.appliedIndex, place.machine.isDirty], [8, false]);
      const view = place.current.viewMachine();
      same('viewed', [view.index, view.logTimeMs, chunksOf(view)], [8, 80, chunks]);
      view.close();
    };
    check();
    const { log, configurations, hardState } = await place.reopen();
    check();
    same('term', hardState.currentTerm, 9);
    same('configurations', configurations, [snapshotConfiguration]);
    same('log', log, { startIndex: 8, startTerm: 4, lastIndex: 8, terms: [], lastLogTimeMs: 80 });
    await place.current.persist([request({ seq: 2, batches: [batchOf(9, { inTerm: 5 })] })]);
    await place.apply(9, { old: 'again' });
    same('goes on', [...indexesOf(await place.read(9)), place.machine.get(key('old'))], [9, key('again')]);
  }),
  conform('keeps what follows the snapshot in the log, if it is told to', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const batches = [6, 7, 8].map((at) => batchOf(at, { inTerm: 4 }));
    const later = [configurationBatch(9, ['z'], 4), batchOf(10, { inTerm: 6, logTimeMs: 100 })];
    await place.current.persist([request({ seq: 2, batches: [...batches, ...later] })]);
    await receive(place.current, 't1', chunks);

    await place.current.install(switchTo('t1', { keepsSuffix: true }));

    const check = async () => {
      same('before the snapshot', await place.current.readLog({ from: index(8), maxBytes: 1 }), 'compacted');
      same('after it', await place.read(9), later);
    };
    await check();
    const { log, configurations } = await place.reopen();
    await check();
    same('log', [log.startIndex, log.startTerm, log.lastIndex, log.lastLogTimeMs], [8, 4, 10, 100]);
    same('configurations', configurations, [
      snapshotConfiguration,
      { index: 9, configuration: configurationOf('z') },
    ]);
    sameData('after all', place, newEntries);
  }),
  conform('drops a log that the snapshot contradicts, also beyond it', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const straddling = batchOf(7, { inTerm: 2, entries: ['a', 'b', 'c'] });
    const batches = [
      batchOf(6, { inTerm: 2 }),
      straddling,
      configurationBatch(10, ['z'], 3),
      batchOf(11, { inTerm: 3 }),
    ];
    await place.current.persist([request({ seq: 2, batches })]);
    await receive(place.current, 't1', chunks);

    await place.current.install(switchTo('t1'));

    same('nothing is left', await place.read(9), []);
    const replacement = batchOf(9, { inTerm: 5, entries: ['x', 'y', 'z'] });
    await place.current.persist([request({ seq: 3, batches: [replacement] })]);
    const { log, configurations } = await place.reopen();
    same('terms', log.terms, [{ index: 9, term: 5 }]);
    same('read', await place.read(9), [replacement]);
    same('configurations', configurations, [snapshotConfiguration]);
  }),
  conform('switches to a snapshot of its own machine, and leaves the log alone', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const before = await place.reopen();
    await receive(place.current, 't1', chunks);

    const request4 = { transferId: 't1', index: index(4), logTimeMs: 40, log: null };
    same('installed', await place.current.install(request4), true);

    const after = await place.reopen();
    sameData('after', place, newEntries);
    same('applied', place.machine.appliedIndex, 4);
    same('log', [after.log, after.configurations], [before.log, before.configurations]);
    same('read', indexesOf(await place.read(1)), [1, 2, 3, 4, 5]);
  }),
  conform('forgets what the machine has not flushed when it switches', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    await receive(place.current, 't1', chunks);
    place.machine.put(key('unflushed'), key('1'));
    place.machine.delete(key('new00'));
    place.machine.advance(index(5), 50);

    await place.current.install(switchTo('t1'));

    sameData('at once', place, newEntries);
    same('applied', place.machine.appliedIndex, 8);
    await place.reopen();
    sameData('after a restart', place, newEntries);
  }),
  conform('does nothing if the snapshot is not there, or not whole', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    const install = (transferId: string) => place.current.install(switchTo(transferId));
    const none = await install('t1');
    await receive(place.current, 't1', chunks.slice(0, -1));

    const results = [none, await install('t1'), await install('t2')];
    await place.reopen();
    results.push(await install('t1'));

    same('installed', results, [false, false, false, false]);
    sameData('still', place, oldEntries);
    await receive(place.current, 't1', chunks);
    same('whole', await install('t1'), true);
    same('a second time', await install('t1'), false);
    sameData('then', place, newEntries);
  }),
  ...[
    { what: 'a suffix that is not in the log', bad: switchTo('t1', { keepsSuffix: true }) },
    { what: 'a suffix of another term', bad: switchTo('t1', { at: 4, inTerm: 3, keepsSuffix: true }) },
    { what: 'a suffix from within a batch', bad: switchTo('t1', { at: 6, inTerm: 1, keepsSuffix: true }) },
    { what: 'own data beyond the log', bad: { ...switchTo('t1', { at: 9 }), log: null } },
  ].map(({ what, bad }) =>
    conform(`refuses to switch with ${what}, and everything after`, async (place, other) => {
      const chunks = await newChunks(other);
      await beginOld(place);
      await place.current.persist([request({ seq: 2, batches: [batchOf(6, { entries: ['a', 'b'] })] })]);
      await receive(place.current, 't1', chunks);

      await rejects('the switch', 'RAFT_STORE_FAILED', place.current.install(bad));

      await rejects('the next', 'RAFT_STORE_FAILED', place.current.persist([]));
      await place.reopen();
      sameData('still', place, oldEntries);
    }),
  ),
  conform('refuses the log of a snapshot in a store without a cluster', async (place, other) => {
    const chunks = await newChunks(other);
    await place.begin();
    await receive(place.current, 't1', chunks);

    await rejects('the switch', 'RAFT_STORE_FAILED', place.current.install(switchTo('t1')));

    same('last index', (await place.reopen()).log.lastIndex, 0);
    sameData('still', place, []);
  }),
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
  ...badPieces().map(({ what, bad, isLast = false }) =>
    conform(`refuses a piece of a value that ${what}, and drops what was staged`, async (place) => {
      await beginOld(place);
      const stage = await place.current.stage('t1');
      await stage.append({ number: 0, bytes: chunkBytes(['b', '1']), isLast: false });
      await stage.append({ number: 1, bytes: pieceBytes('d', '2'), isLast: false });

      await rejects('it', 'RAFT_BAD_SNAPSHOT', stage.append({ number: 2, bytes: bad, isLast }));

      same('dropped', [stage.nextChunk, stage.isComplete], [0, false]);
      await receive(place.current, 't1', [{ number: 0, bytes: chunkBytes(['e', '3']), isLast: true }]);
      await place.current.install(switchTo('t1'));
      sameData('of the next try', place, [['e', '3']]);
    }),
  ),
  ...badChunks().map(({ what, bad }) =>
    conform(`refuses a chunk that ${what}, and drops what was staged`, async (place) => {
      await beginOld(place);
      const stage = await place.current.stage('t1');
      await stage.append({ number: 0, bytes: chunkBytes(['b', '1'], ['d', '2']), isLast: false });

      await rejects('it', 'RAFT_BAD_SNAPSHOT', stage.append({ number: 1, bytes: bad, isLast: true }));

      same('dropped', [stage.nextChunk, stage.isComplete], [0, false]);
      same('not installed', await place.current.install(switchTo('t1')), false);
      const thrown = await place.current.stage('t2', () => {
        throw new Error('what this machine can not read');
      });
      const first = { number: 0, bytes: chunkBytes(['b', '1']), isLast: true };
      await rejects('what it throws at', 'RAFT_BAD_SNAPSHOT', thrown.append(first));
      sameData('still', place, oldEntries);
      await receive(place.current, 't1', [{ number: 0, bytes: chunkBytes(['e', '3']), isLast: true }]);
      await place.current.install(switchTo('t1'));
      sameData('of the next try', place, [['e', '3']]);
    }),
  ),
  conform('asks of each entry whether it is one, and drops what was staged if not', async (place) => {
    await beginOld(place);
    const asked: string[] = [];
    const stage = await place.current.stage('t1', (name, value) => {
      asked.push(String.fromCharCode(...name, ...value));
      return value.byteLength < 3;
    });
    await stage.append({ number: 0, bytes: chunkBytes(['b', '1'], ['c', '2']), isLast: false });
    await stage.append({ number: 1, bytes: pieceBytes('d', '3'), isLast: false });
    const last = { number: 2, bytes: pieceBytes('d', '45', { isEnd: true }), isLast: true };

    await rejects('what is none', 'RAFT_BAD_SNAPSHOT', stage.append(last));

    same('asked', asked, ['b1', 'c2', 'd345']);
    same('dropped', [stage.nextChunk, stage.isComplete], [0, false]);
    same('not installed', await place.current.install(switchTo('t1')), false);
    sameData('still', place, oldEntries);
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
  conform('switches again and again, and one data set is left', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    for (let at = 11; at <= 15; at++) {
      const transferId = `t${at}`;
      await receive(place.current, transferId, at % 2 === 0 ? chunks : [tinyChunk(at)]);
      same('installed', await place.current.install(switchTo(transferId, { at })), true);
      sameData(transferId, place, at % 2 === 0 ? newEntries : [['tiny', String(at)]]);
    }
    await place.reopen();
    sameData('at last', place, [['tiny', '15']]);
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
