import { index } from '../core/index.ts';
import type { SnapshotChunk } from '../storage/storage.ts';
import { same } from './same.ts';
import {
  batchOf,
  claim,
  conform,
  key,
  request,
  type StorageConformanceCase,
  text,
  throws,
} from './storage-kit.ts';
import { chunksOf, newChunks } from './storage-snapshot-kit.ts';

/** What every storage does about views of the machine's durable data, and their chunks. */
export const storageViewCases: readonly StorageConformanceCase[] = [
  conform('keeps the clock of the log with the applied index', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2)] })]);
    place.machine.advance(index(1), 17);
    await place.current.persist([]);
    place.machine.advance(index(2), 23);
    const positionOf = () => {
      const view = place.current.viewMachine();
      const position = [view.index, view.logTimeMs];
      view.close();
      return position;
    };

    same('what is durable', positionOf(), [1, 17]);
    await place.current.persist([]);
    same('then', positionOf(), [2, 23]);
    await place.reopen();
    same('after a restart', positionOf(), [2, 23]);
  }),
  conform('makes one empty chunk of a machine without data', async (place) => {
    await place.open();
    const view = place.current.viewMachine();

    const chunks = chunksOf(view);

    same('chunks', chunks.length, 1);
    same('the only one', [chunks[0]?.number, chunks[0]?.isLast], [0, true]);
  }),
  conform('makes the same chunks each time, of bounded size, in any order', async (place, other) => {
    const chunks = await newChunks(place);

    const view = place.current.viewMachine();
    const again = chunksOf(view);
    const backwards = [...chunks].reverse().map(({ number }) => view.chunk(number));
    const skipping = place.current.viewMachine().chunk(chunks.length - 1);
    const small = Array.from({ length: 5000 }, (_, at) => [`k${10_000 + at}`, 'v'] as const);
    await other.open();
    await other.apply(0, Object.fromEntries(small));
    const ofSmall = chunksOf(other.current.viewMachine());

    same('again', again, chunks);
    same('backwards', backwards, [...chunks].reverse());
    same('skipping', skipping, chunks.at(-1));
    same('beyond the last', [view.chunk(chunks.length), view.chunk(-1)], [undefined, undefined]);
    same(
      'numbers',
      chunks.map(({ number, isLast }) => [number, isLast]),
      chunks.map((_, at) => [at, at === chunks.length - 1]),
    );
    claim(
      'every chunk is small, also those of a large value',
      [...chunks, ...ofSmall].every(({ bytes }) => bytes.byteLength <= 256 * 1024),
    );
  }),
  conform('views the durable data of one moment, whatever is written later', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [1, 2, 3, 4].map((at) => batchOf(at)) })]);
    const many = (value: string) =>
      Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`k${1000 + at}`, value]));
    await place.apply(1, many('first'));
    place.machine.put(key('k1000'), key('not durable'));
    const view = place.current.viewMachine();
    const expected = chunksOf(view);
    const half = expected.slice(0, 1).map(({ number }) => view.chunk(number));

    await place.apply(2, many('second'));
    const second = place.current.viewMachine();
    for (let at = 1000; at < 4000; at += 2) place.machine.delete(key(`k${at}`));
    await place.apply(3, { zz: 'third' });

    same('while it was read', [...half, ...chunksOf(view).slice(1)], expected);
    same('index', [view.index, second.index], [1, 2]);
    const isSecond = chunksOf(second).length === expected.length && second.chunk(0) !== undefined;
    claim('a second view is of its own moment', isSecond && chunksOf(second)[0] !== expected[0]);
    view.close();
    same('the first bytes are those of the first moment', textIn(expected, 'first'), 3000);
    same('the second bytes are those of the second', textIn(chunksOf(second), 'second'), 3000);
    second.close();
    same('the data went on', place.machine.get(key('zz')), key('third'));
    await place.apply(4, many('fourth'));
    same('and go on', place.machine.get(key('k1000')), key('fourth'));
  }),
  conform('answers nothing from a view that was closed, by itself or with the store', async (place) => {
    await place.begin();
    const view = place.current.viewMachine();
    const left = place.current.viewMachine();
    view.close();
    view.close();

    throws('it', 'RAFT_STORE_CLOSED', () => view.chunk(0));

    same('another one', left.chunk(0)?.isLast, true);
    const { current } = place;
    await place.reopen();
    throws('the other one', 'RAFT_STORE_CLOSED', () => left.chunk(0));
    throws('a new one of a closed store', 'RAFT_STORE_CLOSED', () => current.viewMachine());
  }),
];

/** How often a word occurs in chunks. */
function textIn(chunks: readonly SnapshotChunk[], word: string): number {
  return chunks.reduce((count, { bytes }) => count + text(bytes).split(word).length - 1, 0);
}
