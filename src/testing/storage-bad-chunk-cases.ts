import { same } from './same.ts';
import { conform, key, rejects, type StorageConformanceCase } from './storage-kit.ts';
import {
  beginOld,
  chunkBytes,
  oldEntries,
  pieceBytes,
  receive,
  sameData,
  switchTo,
} from './storage-snapshot-kit.ts';

/** What every storage does about chunks that are not those of a snapshot. */
export const storageBadChunkCases: readonly StorageConformanceCase[] = [
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
];

function badChunks(): readonly { readonly what: string; readonly bad: Uint8Array }[] {
  const good = chunkBytes(['e', '3'], ['f', '4']);
  const tooLong = Uint8Array.of(1, 0x07, 0x6d, 0, 0, 0, 0, ...new Uint8Array(1901));
  return [
    { what: 'is empty', bad: new Uint8Array() },
    { what: 'is of another version', bad: Uint8Array.of(9, ...good.subarray(1)) },
    { what: 'ends within a value', bad: good.subarray(0, -1) },
    { what: 'ends within a header', bad: good.subarray(0, 12) },
    { what: 'has keys that do not ascend', bad: chunkBytes(['f', '1'], ['e', '2']) },
    { what: 'has a key twice', bad: chunkBytes(['e', '1'], ['e', '2']) },
    { what: 'does not follow the chunk before', bad: chunkBytes(['c', '1']) },
    { what: 'repeats the last key', bad: chunkBytes(['d', '1']) },
    { what: 'has an empty key', bad: chunkBytes(['', '1']) },
    { what: 'has a key that is too long', bad: tooLong },
  ];
}

/** What must not follow a piece of the value under `d` that is not its last. */
function badPieces(): readonly {
  readonly what: string;
  readonly bad: Uint8Array;
  readonly isLast?: boolean;
}[] {
  const good = pieceBytes('d', '3', { isEnd: true });
  return [
    { what: 'is of another key', bad: pieceBytes('e', '3') },
    { what: 'is empty', bad: pieceBytes('d', '') },
    { what: 'ends within its key', bad: Uint8Array.of(2, 1, 0, 9, ...key('d')) },
    { what: 'ends within its header', bad: good.subarray(0, 3) },
    { what: 'has no key', bad: pieceBytes('', '3') },
    { what: 'neither goes on nor ends', bad: Uint8Array.of(2, 2, ...good.subarray(2)) },
    { what: 'is not there: entries follow', bad: chunkBytes(['e', '3']) },
    { what: 'is the last of the snapshot and not of the value', bad: pieceBytes('d', '3'), isLast: true },
  ];
}
