import { index } from '../core/index.ts';
import type { SnapshotChunk } from '../storage/storage.ts';
import { same } from './same.ts';
import {
  batchOf,
  begun,
  claim,
  conform,
  entriesOf,
  founding,
  ignored,
  key,
  rejects,
  request,
  type StorageConformanceCase,
  throws,
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

/** What every storage does when it is closed or discarded, whatever is under way. */
export const storageEndingCases: readonly StorageConformanceCase[] = [
  conform('forgets what the machine holds unflushed when it is discarded', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2)] })]);
    place.machine.put(key('a'), key('1'));
    place.machine.advance(index(1), 10);
    await place.current.persist([]);
    place.machine.put(key('a'), key('2'));
    place.machine.put(key('b'), key('1'));
    place.machine.advance(index(2), 20);

    const discarded = place.current;
    await discarded.discard();
    await discarded.discard();
    await rejects('a write', 'RAFT_STORE_CLOSED', discarded.persist([]));
    await place.open();

    same('loaded', [place.machine.appliedIndex, entriesOf(place.machine)], [1, [['a', '1']]]);
  }),
  conform('lets a transaction that is under way finish before it is discarded', async (place) => {
    await place.begin();
    place.machine.put(key('a'), key('1'));
    const writing = place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    place.machine.put(key('a'), key('2'));

    await place.current.discard();
    same('seq', (await writing).seq, 1);
    const loaded = await place.open();

    same('last', loaded.log.lastIndex, 1);
    same('entries', entriesOf(place.machine), [['a', '1']]);
  }),
  ...(['close', 'discard'] as const).flatMap((first) =>
    (['close', 'discard'] as const).map((second) =>
      conform(`has let go when a ${second} during a ${first} is through`, async (place) => {
        await place.begin();
        const ending = place.current;
        ignored(ending.persist([request({ seq: 1, batches: [batchOf(1)] })]));
        const started = ending[first]();
        ignored(started);

        await ending[second]();

        same('last index', (await place.open()).log.lastIndex, 1);
        await started;
      }),
    ),
  ),
  ...(['close', 'discard'] as const).map((end) =>
    conform(`refuses to be opened while a ${end} is under way`, async (place) => {
      await place.begin();
      const ending = place.current;
      ignored(ending.persist([request({ seq: 1, batches: [batchOf(1)] })]));
      const ended = ending[end]();

      await rejects('opening it', 'RAFT_STORE_IN_USE', ending.open());
      await ended;
      same('last index', (await ending.open()).log.lastIndex, 1);
    }),
  ),
  ...(['close', 'discard'] as const).map((end) =>
    conform(
      `takes nothing more while a ${end} is under way, and finishes what came before`,
      async (place, other) => {
        const chunks = await newChunks(other);
        await beginOld(place);
        const ending = place.current;
        const stage = await ending.stage('t1');
        const appended = stage.append(chunks[0] as SnapshotChunk);
        ignored(appended);
        await begun();

        const ended = ending[end]();
        const late: readonly (readonly [string, Promise<unknown>])[] = [
          ['persist', ending.persist([])],
          ['found', ending.found(founding)],
          ['stage', ending.stage('t2')],
          ['append', stage.append(chunks[1] as SnapshotChunk)],
          ['install', ending.install(switchTo('t1'))],
          ['readLog', ending.readLog({ from: index(1), maxBytes: 1 })],
        ];
        for (const [, each] of late) ignored(each);
        throws('viewMachine', 'RAFT_STORE_CLOSED', () => ending.viewMachine());
        // In vain is also what has not settled by the end: nothing answers it afterwards.
        for (const [what, each] of late)
          await rejects(what, 'RAFT_STORE_CLOSED', Promise.race([each, ended]));
        await ended;

        await appended;
        await place.open();
        sameData('in use', place, oldEntries);
        same('next', (await place.current.stage('t1')).nextChunk, 1);
      },
    ),
  ),
  conform('flushes nothing when a discard overtakes a close', async (place) => {
    await place.begin();
    place.machine.put(key('a'), key('1'));
    const writing = place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    place.machine.put(key('a'), key('2'));
    const closing = place.current.close();

    await Promise.all([writing, closing, place.current.discard()]);

    await place.open();
    same('entries', entriesOf(place.machine), [['a', '1']]);
  }),
  conform(
    'keeps a chunk that is being written when it is discarded, and takes none after it',
    async (place, other) => {
      const chunks = await newChunks(other);
      await beginOld(place);
      const discarded = place.current;
      const stage = await discarded.stage('t1');
      const appended = chunks.map((chunk) => stage.append(chunk));
      for (const each of appended) ignored(each);
      await appended[0];

      await discarded.discard();

      const outcomes = await Promise.allSettled(appended);
      const taken = outcomes.filter(({ status }) => status === 'fulfilled').length;
      for (const late of appended.slice(taken)) await rejects('a chunk', 'RAFT_STORE_CLOSED', late);
      await rejects('a stage', 'RAFT_STORE_CLOSED', discarded.stage('t2'));
      await place.open();
      sameData('meanwhile', place, oldEntries);
      same('next', (await place.current.stage('t1')).nextChunk, taken);
      claim('not all of it was taken', taken < chunks.length);
      await receive(place.current, 't1', chunks);
      same('installed', await place.current.install(switchTo('t1')), true);
      sameData('then', place, newEntries);
    },
  ),
  conform('replaces a stage or keeps it when it is discarded meanwhile', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    await (await place.current.stage('t1')).append(chunks[0] as SnapshotChunk);
    const replacing = place.current.stage('t2');
    await begun();

    await place.current.discard();

    const isReplaced = await replacing.then(
      () => true,
      () => false,
    );
    await place.open();
    same('the first', (await place.current.stage('t1')).nextChunk, isReplaced ? 0 : 1);
    sameData('in use', place, oldEntries);
  }),
  conform('switches wholly or not at all when it is discarded meanwhile', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    await receive(place.current, 't1', chunks);
    place.machine.put(key('old'), key('unflushed'));
    const installing = place.current.install(switchTo('t1'));
    await begun();

    await place.current.discard();

    const isInstalled = await installing.catch(() => false);
    const { log } = await place.open();
    same('the start', log.startIndex, isInstalled ? 8 : 0);
    sameData('in use', place, isInstalled ? newEntries : oldEntries);
  }),
  conform('is discarded while what a snapshot replaced is deleted', async (place, other) => {
    const chunks = await newChunks(other);
    await beginOld(place);
    for (let at = 0; at < 5000; at++) place.machine.put(key(`old${at}`), key('1'));
    await place.current.persist([]);
    await receive(place.current, 't1', chunks);
    await place.current.install(switchTo('t1'));
    place.machine.put(key('new'), key('unflushed'));

    for (const each of ['once', 'twice']) {
      await place.current.discard();
      const { log } = await place.open();
      same(`opened ${each}`, [log.startIndex, place.machine.appliedIndex], [8, 8]);
      sameData(each, place, newEntries);
    }
    place.machine.put(key('new'), key('flushed'));
    place.machine.advance(index(8), 80);
    await place.reopen();
    same('then', place.machine.get(key('new')), key('flushed'));
  }),
];
