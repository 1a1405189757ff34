import { index } from '../core/index.ts';
import { same } from './same.ts';
import {
  batchOf,
  configurationBatch,
  configurationOf,
  conform,
  indexesOf,
  key,
  rejects,
  request,
  type StorageConformanceCase,
} from './storage-kit.ts';
import {
  beginOld,
  chunksOf,
  newChunks,
  newEntries,
  oldEntries,
  receive,
  sameData,
  snapshotConfiguration,
  switchTo,
  tinyChunk,
} from './storage-snapshot-kit.ts';

/** What every storage does when it switches to a snapshot. */
export const storageInstallCases: readonly StorageConformanceCase[] = [
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
];
