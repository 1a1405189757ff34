import { index } from '../core/index.ts';
import { same } from './same.ts';
import {
  batchOf,
  claim,
  compaction,
  configurationBatch,
  configurationOf,
  conform,
  founding,
  ignored,
  indexesOf,
  key,
  type OpenPlace,
  rejects,
  request,
  type StorageConformanceCase,
} from './storage-kit.ts';

const foundingAt = { index: 0, configuration: founding.configuration };
const configurationAt = (at: number, ...names: readonly string[]) => ({
  index: at,
  configuration: configurationOf(...names),
});

/** Six entries in five batches of two terms. */
const sixEntries = [
  batchOf(1, { logTimeMs: 10 }),
  batchOf(2, { entries: ['a', 'b'], logTimeMs: 20 }),
  batchOf(4, { inTerm: 2, logTimeMs: 40 }),
  batchOf(5, { inTerm: 2, logTimeMs: 50 }),
  batchOf(6, { inTerm: 3, logTimeMs: 60 }),
];

async function withSixEntries(place: OpenPlace): Promise<void> {
  await place.begin();
  await place.current.persist([request({ seq: 1, batches: sixEntries })]);
}

async function read(place: OpenPlace, from: number) {
  return place.current.readLog({ from: index(from), maxBytes: 1_000_000 });
}

/** What every storage does about the beginning of the log, and about configurations in it. */
export const storageCompactionCases: readonly StorageConformanceCase[] = [
  conform('drops the log through an index, for readers at once, and keeps the term there', async (place) => {
    await withSixEntries(place);

    const { seq } = await place.current.persist([request({ seq: 7 }), compaction(4, 2, 99)]);

    same('seq', seq, 7);
    const check = async (when: string) => {
      same(`${when}: the last index that is gone`, await read(place, 4), 'compacted');
      same(`${when}: index 1`, await read(place, 1), 'compacted');
      same(`${when}: the rest`, await read(place, 5), sixEntries.slice(3));
    };
    await check('before a restart');
    same('log', (await place.reopen()).log, {
      startIndex: 4,
      startTerm: 2,
      lastIndex: 6,
      terms: [
        { index: 5, term: 2 },
        { index: 6, term: 3 },
      ],
      lastLogTimeMs: 60,
    });
    await check('after it');
  }),
  conform('keeps the term of the last index that is gone where another begins after it', async (place) => {
    await withSixEntries(place);

    await place.current.persist([compaction(3)]);

    const { log } = await place.reopen();
    same('start', [log.startIndex, log.startTerm], [3, 1]);
    same('the first term after it', log.terms[0], { index: 4, term: 2 });
  }),
  conform('drops the whole log, keeps its clock, and goes on after it', async (place) => {
    await withSixEntries(place);
    await place.current.persist([compaction(6, 3)]);

    const { log } = await place.reopen();
    const empty = await read(place, 7);
    await place.current.persist([request({ seq: 2, batches: [batchOf(7, { inTerm: 3 })] })]);

    const base = { startIndex: 6, startTerm: 3, terms: [], lastIndex: 6, lastLogTimeMs: 60 };
    same('log', log, base);
    same('beyond it', empty, []);
    same('appended', indexesOf(await place.read(7)), [7]);
    same('terms', (await place.reopen()).log.terms, [{ index: 7, term: 3 }]);
    same('after a restart', indexesOf(await place.read(7)), [7]);
  }),
  conform('drops more and more of it, and never less', async (place) => {
    await withSixEntries(place);
    await place.current.persist([compaction(1)]);
    await place.current.persist([compaction(5, 2)]);
    await place.current.persist([compaction(3)]);

    const { log } = await place.reopen();

    same('start', [log.startIndex, log.startTerm, log.lastIndex], [5, 2, 6]);
    same('rest', indexesOf(await place.read(6)), [6]);
  }),
  conform('compacts in the order of the requests, also what they only bring', async (place) => {
    await withSixEntries(place);

    await place.current.persist([
      request({ seq: 2, truncateFrom: index(6), batches: [batchOf(6, { inTerm: 4, entries: ['x', 'y'] })] }),
      request({ seq: 3, batches: [batchOf(8, { inTerm: 4 }), batchOf(9, { inTerm: 5 })] }),
      compaction(7, 4),
      request({ seq: 4, truncateFrom: index(9), batches: [batchOf(9, { inTerm: 6 })] }),
    ]);

    const check = async () => {
      same('gone', await read(place, 7), 'compacted');
      same(
        'rest',
        (await place.read(8)).map((batch) => [batch.index, batch.term]),
        [
          [8, 4],
          [9, 6],
        ],
      );
    };
    await check();
    const { log } = await place.reopen();
    await check();
    same('log', log, {
      startIndex: 7,
      startTerm: 4,
      lastIndex: 9,
      terms: [
        { index: 8, term: 4 },
        { index: 9, term: 6 },
      ],
      lastLogTimeMs: 0,
    });
  }),
  ...[
    { what: 'within a batch', bad: compaction(2) },
    { what: 'beyond the end', bad: compaction(7, 3) },
    { what: 'at an entry of another term', bad: compaction(4, 1) },
  ].map(({ what, bad }) =>
    conform(`refuses to compact ${what}, and everything after`, async (place) => {
      await withSixEntries(place);

      await rejects('the request', 'RAFT_STORE_FAILED', place.current.persist([bad]));

      await rejects('the next', 'RAFT_STORE_FAILED', place.current.persist([]));
      same('start', (await place.reopen()).log.startIndex, 0);
      same('kept', await place.read(1), sixEntries);
    }),
  ),
  conform('refuses to truncate what is compacted', async (place) => {
    await withSixEntries(place);
    await place.current.persist([compaction(4, 2)]);
    await place.reopen();

    const bad = place.current.persist([request({ seq: 2, truncateFrom: index(4) })]);

    await rejects('the request', 'RAFT_STORE_FAILED', bad);
    same('rest', (await place.reopen()).log.lastIndex, 6);
  }),
  conform('truncates down to the start, and the clock does not fall behind it', async (place) => {
    await withSixEntries(place);
    await place.current.persist([compaction(4, 2), request({ seq: 2, truncateFrom: index(5) })]);

    const { lastLogTimeMs, ...log } = (await place.reopen()).log;
    same('log', log, { startIndex: 4, startTerm: 2, lastIndex: 4, terms: [] });
    claim('the clock is where it was at the start, or later', lastLogTimeMs >= 40);
  }),
  conform('writes, reads and restarts while a long log is deleted', async (place) => {
    await place.begin();
    const count = 6000;
    const batches = Array.from({ length: count }, (_, at) => batchOf(at + 1));
    await place.current.persist([request({ seq: 1, batches })]);

    await place.current.persist([compaction(count - 1)]);
    for (let at = count + 1; at <= count + 5; at++) {
      await place.current.persist([request({ seq: at, batches: [batchOf(at)] })]);
      same('read', indexesOf(await place.read(count)).length, at - count + 1);
    }

    for (const each of ['once', 'twice']) {
      const { log } = await place.reopen();
      same(`restarted ${each}`, [log.startIndex, log.lastIndex], [count - 1, count + 5]);
      same('before the start', await read(place, count - 1), 'compacted');
      same('rest', indexesOf(await place.read(count)).length, 6);
    }
  }),
  conform('keeps the configurations of the log, from the founding one on', async (place) => {
    await place.beginFounded();
    const batches = [
      batchOf(1),
      configurationBatch(2, ['n1', 'n2']),
      batchOf(3),
      configurationBatch(4, ['n2']),
    ];
    await place.current.persist([request({ seq: 1, batches })]);

    const { configurations } = await place.reopen();

    same('configurations', configurations, [
      foundingAt,
      configurationAt(2, 'n1', 'n2'),
      configurationAt(4, 'n2'),
    ]);
  }),
  conform('keeps every field of a configuration', async (place) => {
    await place.open();
    const member = { id: 'n1', storeId: 's1', url: 'ws://n1:1' };
    const learner = { id: 'n4', storeId: 's4', url: 'wss://n4.example:7101', willVote: true } as const;
    const configuration = {
      voters: [member],
      votersOutgoing: [{ ...member, id: 'n2' }],
      learners: [learner],
    };
    await place.current.found({ clusterId: 'c', configuration });

    same('loaded', (await place.reopen()).configurations, [{ index: 0, configuration }]);
  }),
  conform('takes configurations back with the entries that are truncated', async (place) => {
    await place.beginFounded();
    const batches = [
      configurationBatch(1, ['a']),
      configurationBatch(2, ['b']),
      configurationBatch(3, ['c']),
    ];
    await place.current.persist([request({ seq: 1, batches })]);
    await place.current.persist([request({ seq: 2, truncateFrom: index(3) })]);
    const afterOne = (await place.reopen()).configurations;

    const replacement = [configurationBatch(2, ['d'], 2), configurationBatch(3, ['e'], 2)];
    await place.current.persist([
      request({ seq: 3, batches: [configurationBatch(3, ['f'])] }),
      request({ seq: 4, truncateFrom: index(2), batches: replacement }),
      request({ seq: 5, truncateFrom: index(3) }),
    ]);

    same('after one', afterOne, [foundingAt, configurationAt(1, 'a'), configurationAt(2, 'b')]);
    same('after three', (await place.reopen()).configurations, [
      foundingAt,
      configurationAt(1, 'a'),
      configurationAt(2, 'd'),
    ]);
  }),
  conform('keeps, of the configurations before the start, the one in effect there', async (place) => {
    await place.beginFounded();
    const batches = [configurationBatch(1, ['a']), configurationBatch(2, ['b']), batchOf(3), batchOf(4)];
    await place.current.persist([request({ seq: 1, batches: [...batches, configurationBatch(5, ['c'])] })]);

    await place.current.persist([compaction(3)]);
    const first = (await place.reopen()).configurations;
    await place.current.persist([request({ seq: 2, truncateFrom: index(5) }), compaction(4)]);
    const second = (await place.reopen()).configurations;

    same('first', first, [configurationAt(2, 'b'), configurationAt(5, 'c')]);
    same('second', second, [configurationAt(2, 'b')]);
  }),
  conform('refuses a configuration that nobody can read', async (place) => {
    await place.beginFounded();
    const bad = batchOf(1, { kind: 'configuration', entries: ['?'] });

    await rejects('it', 'RAFT_STORE_FAILED', place.current.persist([request({ seq: 1, batches: [bad] })]));

    same('last index', (await place.reopen()).log.lastIndex, 0);
  }),
  ...(['kill', 'losePower'] as const).map((kind) =>
    conform(
      `has compacted whole or not at all when it ends while it does so: ${kind}`,
      async (place) => {
        await place.beginFounded();
        const batches = [configurationBatch(1, ['a']), configurationBatch(2, ['b']), batchOf(3)];
        await place.current.persist([request({ seq: 1, batches })]);
        place.machine.put(key('a'), key('1'));
        place.machine.advance(index(3), 30);
        ignored(place.current.persist([compaction(2)]));

        await place.fault(kind);

        const { log, configurations } = await place.open();
        claim('the start moved or did not', [0, 2].includes(log.startIndex));
        const isThere = log.startIndex === 2;
        same('the machine goes along', place.machine.appliedIndex, isThere ? 3 : 0);
        const all = [foundingAt, configurationAt(1, 'a'), configurationAt(2, 'b')];
        same('the configurations go along', configurations, isThere ? all.slice(2) : all);
        same('the rest', indexesOf(await place.read(3)), [3]);
      },
      [kind],
    ),
  ),
];
