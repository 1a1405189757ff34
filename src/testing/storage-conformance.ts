import { index, term } from '../core/index.ts';
import { same } from './same.ts';
import { storageBadChunkCases } from './storage-bad-chunk-cases.ts';
import { storageCompactionCases } from './storage-compaction-cases.ts';
import { storageEndingCases } from './storage-ending-cases.ts';
import { storageInstallCases } from './storage-install-cases.ts';
import {
  batchOf,
  claim,
  conform,
  founding,
  indexesOf,
  rejects,
  request,
  type StorageConformanceCase,
  votedInTerm9,
} from './storage-kit.ts';
import { storageMachineCases } from './storage-machine-cases.ts';
import { storageOutageCases } from './storage-outage-cases.ts';
import { storageTransferCases } from './storage-transfer-cases.ts';
import { storageViewCases } from './storage-view-cases.ts';
import { storageVoteCases } from './storage-vote-cases.ts';

export type { StorageConformanceCase, StorageFault, StoragePlace, StorageUnderTest } from './storage-kit.ts';

/**
 * What every storage does, in whatever test framework:
 * `for (const { name, run } of storageConformance) it(name, () => run(subject))`.
 *
 * A subject whose places can't be killed, lose power or refuse a write leaves out the cases that need it, as
 * with `storageConformance.filter(({ needs }) => needs.length === 0)`. It has then not been tested for what a crash leaves.
 */
export const storageConformance: readonly StorageConformanceCase[] = [
  conform('opens empty where there is nothing, under a random name', async (place, other) => {
    const loaded = await place.open();
    const elsewhere = await other.open();

    const { storeId, ...rest } = loaded;
    same('loaded', rest, {
      bootCounter: 1,
      founding: null,
      hardState: { currentTerm: 0, votedFor: null },
      log: { startIndex: 0, startTerm: 0, lastIndex: 0, terms: [], lastLogTimeMs: 0 },
      configurations: [],
    });
    claim('the store has a name', storeId.length > 0);
    claim('two stores have different names', storeId !== elsewhere.storeId);
    same('applied', place.machine.appliedIndex, 0);
    same('dirty', place.machine.isDirty, false);
  }),
  conform('counts how often it was opened, and keeps its name', async (place) => {
    const first = await place.open();
    const second = await place.reopen();
    const third = await place.reopen();

    same('boot counters', [first.bootCounter, second.bootCounter, third.bootCounter], [1, 2, 3]);
    same('names', [second.storeId, third.storeId], [first.storeId, first.storeId]);
  }),
  conform('opens again after it was closed', async (place) => {
    await place.open();
    const { current } = place;
    await current.close();

    const loaded = await current.open();

    same('boot counter', loaded.bootCounter, 2);
  }),
  conform('lets one storage have it open at a time', async (place) => {
    await place.begin();

    await rejects('the second open', 'RAFT_STORE_IN_USE', place.another().open());

    await place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    same('last index', (await place.reopen()).log.lastIndex, 1);
  }),
  conform('refuses to be another node', async (place) => {
    await place.open({ nodeId: 'n1' });
    await place.current.close();

    await rejects('opening it as n2', 'RAFT_STORE_OTHER_NODE', place.another({ nodeId: 'n2' }).open());

    same('boot counter', (await place.open({ nodeId: 'n1' })).bootCounter, 2);
  }),
  conform('answers nothing before it is opened or after it is closed', async (place) => {
    const { current } = place;
    await rejects('persist before open', 'RAFT_STORE_CLOSED', current.persist([]));
    await current.open();
    await current.close();

    await rejects('persist', 'RAFT_STORE_CLOSED', current.persist([]));
    await rejects('readLog', 'RAFT_STORE_CLOSED', current.readLog({ from: index(1), maxBytes: 1 }));
    await rejects('found', 'RAFT_STORE_CLOSED', current.found(founding));
    await current.close();
  }),
  conform('is founded once', async (place) => {
    await place.open();
    await place.current.found(founding);

    await rejects('a second founding', 'RAFT_STORE_FOUNDED', place.current.found(founding));

    const loaded = await place.reopen();
    same('founding', loaded.founding, founding);
    same('configurations', loaded.configurations, [{ index: 0, configuration: founding.configuration }]);
    await rejects('a founding after a restart', 'RAFT_STORE_FOUNDED', place.current.found(founding));
  }),
  ...storageVoteCases,
  conform('gives back the batches it was given', async (place) => {
    await place.begin();
    const batches = [
      batchOf(1, { kind: 'noop', entries: [''] }),
      batchOf(2, { entries: ['a', '', 'long '.repeat(3000)], logTimeMs: 7 }),
      batchOf(5, { inTerm: 3, logTimeMs: 1234 }),
    ];

    const { seq } = await place.current.persist([request({ seq: 4, batches })]);

    same('seq', seq, 4);
    same('before a restart', await place.read(1), batches);
    const { log } = await place.reopen();
    same('after it', await place.read(1), batches);
    same('log', log, {
      startIndex: 0,
      startTerm: 0,
      lastIndex: 5,
      terms: [
        { index: 1, term: 1 },
        { index: 5, term: 3 },
      ],
      lastLogTimeMs: 1234,
    });
  }),
  conform('merges requests, the later ones over the earlier', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2), batchOf(3)] })]);

    const { seq } = await place.current.persist([
      request({ seq: 2, batches: [batchOf(4)], hardState: { currentTerm: term(9), votedFor: null } }),
      request({
        seq: 3,
        truncateFrom: index(3),
        batches: [batchOf(3, { inTerm: 2 }), batchOf(4, { inTerm: 2 })],
      }),
      request({ seq: 4, truncateFrom: index(4), batches: [batchOf(4, { inTerm: 3, entries: ['x', 'y'] })] }),
      request({ seq: 5, hardState: votedInTerm9 }),
    ]);

    const { log, hardState } = await place.reopen();
    same('seq', seq, 5);
    same('hard state', hardState, votedInTerm9);
    same(
      'terms',
      [log.lastIndex, ...log.terms.map((start) => [start.index, start.term])],
      [5, [1, 1], [3, 2], [4, 3]],
    );
    same(
      'indexes',
      (await place.read(1)).map((batch) => [batch.index, batch.term]),
      [
        [1, 1],
        [2, 1],
        [3, 2],
        [4, 3],
      ],
    );
  }),
  conform('truncates whole batches, and appends in the same request', async (place) => {
    await place.begin();
    const old = [batchOf(1), batchOf(2, { entries: ['a', 'b', 'c'] }), batchOf(5), batchOf(6, { inTerm: 2 })];
    await place.current.persist([request({ seq: 1, batches: old })]);

    const replacement = batchOf(5, { inTerm: 3, entries: ['d', 'e'] });
    await place.current.persist([request({ seq: 2, truncateFrom: index(5), batches: [replacement] })]);

    const kept = [...old.slice(0, 2), replacement];
    same('before a restart', await place.read(1), kept);
    const { log } = await place.reopen();
    same('after it', await place.read(1), kept);
    same('last index', log.lastIndex, 6);
    same('terms', log.terms, [
      { index: 1, term: 1 },
      { index: 5, term: 3 },
    ]);
  }),
  conform('truncates without appending, down to nothing', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2, { inTerm: 2 })] })]);

    await place.current.persist([request({ seq: 2, truncateFrom: index(2) })]);
    const withOne = await place.reopen();
    await place.current.persist([request({ seq: 3, truncateFrom: index(1) })]);
    const withNone = await place.reopen();

    same('terms left', withOne.log.terms, [{ index: 1, term: 1 }]);
    same('nothing left', [withNone.log.lastIndex, withNone.log.terms], [0, []]);
    same('read', await place.read(1), []);
  }),
  conform('reads from the start of the batch that holds the index', async (place) => {
    await place.begin();
    const batches = [
      batchOf(1, { entries: ['a', 'b', 'c'] }),
      batchOf(4, { entries: ['d', 'e'] }),
      batchOf(6),
    ];
    await place.current.persist([request({ seq: 1, batches })]);

    same('from 1', indexesOf(await place.read(1)), [1, 4, 6]);
    same('from 3', indexesOf(await place.read(3)), [1, 4, 6]);
    same('from 4', indexesOf(await place.read(4)), [4, 6]);
    same('from 5', indexesOf(await place.read(5)), [4, 6]);
    same('from 6', indexesOf(await place.read(6)), [6]);
  }),
  conform('reads as much as was asked for, and at least one batch', async (place) => {
    await place.begin();
    const batches = [1, 2, 3, 4].map((at) => batchOf(at, { entries: ['x'.repeat(96)] }));
    await place.current.persist([request({ seq: 1, batches })]);

    same('0 bytes', indexesOf(await place.read(1, 0)), [1]);
    same('199 bytes', indexesOf(await place.read(1, 199)), [1]);
    same('200 bytes', indexesOf(await place.read(1, 200)), [1, 2]);
    same('300 bytes', indexesOf(await place.read(2, 300)), [2, 3, 4]);
  }),
  conform('reads nothing beyond the end, and says when the start is gone', async (place) => {
    await place.begin();
    const beginning = await place.current.readLog({ from: index(0), maxBytes: 1000 });
    await place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);

    same('before the start', beginning, 'compacted');
    same('beyond the end', await place.read(2), []);
    same('far beyond it', await place.read(1_000_000), []);
  }),
  conform('holds many batches and terms', async (place) => {
    await place.begin();
    for (let at = 1; at <= 300; at += 3) {
      const batches = [at, at + 1, at + 2].map((each) => batchOf(each, { inTerm: Math.ceil(each / 50) }));
      await place.current.persist([request({ seq: at, batches })]);
    }

    const { log } = await place.reopen();

    same('last index', log.lastIndex, 300);
    same(
      'terms',
      log.terms.map((start) => start.index),
      [1, 51, 101, 151, 201, 251],
    );
    same(
      'read',
      indexesOf(await place.read(257)),
      Array.from({ length: 44 }, (_, at) => 257 + at),
    );
  }),
  ...[
    { what: 'leave a gap', bad: request({ seq: 2, batches: [batchOf(6)] }) },
    { what: 'overlap', bad: request({ seq: 2, batches: [batchOf(4)] }) },
    { what: 'leave a gap among themselves', bad: request({ seq: 2, batches: [batchOf(5), batchOf(7)] }) },
    { what: 'fall back in term', bad: request({ seq: 2, batches: [batchOf(5, { inTerm: 0 })] }) },
    { what: 'truncate within a batch', bad: request({ seq: 2, truncateFrom: index(3) }) },
    { what: 'truncate beyond the end', bad: request({ seq: 2, truncateFrom: index(7) }) },
    { what: 'truncate what is before the log', bad: request({ seq: 2, truncateFrom: index(0) }) },
  ].map(({ what, bad }) =>
    conform(`refuses requests that ${what}, and everything after`, async (place) => {
      await place.begin();
      const good = [batchOf(1), batchOf(2, { entries: ['a', 'b', 'c'] })];
      await place.current.persist([request({ seq: 1, batches: good })]);

      await rejects('the request', 'RAFT_STORE_FAILED', place.current.persist([bad]));

      await rejects(
        'the next',
        'RAFT_STORE_FAILED',
        place.current.persist([request({ seq: 3, batches: [batchOf(5)] })]),
      );
      await rejects('a read', 'RAFT_STORE_FAILED', place.current.readLog({ from: index(1), maxBytes: 1 }));
      await place.reopen();
      same('kept', await place.read(1), good);
    }),
  ),
  ...storageMachineCases,
  conform(
    'takes nothing more once a write was refused',
    async (place) => {
      await place.begin();
      await place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
      await place.fault('failNextWrite');
      const refused = place.current.persist([request({ seq: 2, batches: [batchOf(2)] })]);

      await rejects('the write', 'RAFT_STORE_FAILED', refused);

      await rejects(
        'the next',
        'RAFT_STORE_FAILED',
        place.current.persist([request({ seq: 3, batches: [batchOf(2)] })]),
      );
      await rejects('a read', 'RAFT_STORE_FAILED', place.current.readLog({ from: index(1), maxBytes: 1 }));
      const { log } = await place.reopen();
      same('last index', log.lastIndex, 1);
    },
    ['failNextWrite'],
  ),
  ...storageCompactionCases,
  ...storageViewCases,
  ...storageInstallCases,
  ...storageTransferCases,
  ...storageBadChunkCases,
  ...storageEndingCases,
  ...storageOutageCases,
];
