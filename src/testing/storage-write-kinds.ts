import { index } from '../core/index.ts';
import type { Loaded } from '../storage/storage.ts';
import {
  batchOf,
  compaction,
  configurationBatch,
  entriesOf,
  founding,
  key,
  type OpenPlace,
  request,
} from './storage-kit.ts';
import { beginOld, receive, switchTo, tinyChunk } from './storage-snapshot-kit.ts';
import { hardState } from './storage-vote-cases.ts';

/** A write that a storage answers once it is durable, and that is there whole or not at all until then. */
export interface WriteKind {
  readonly what: string;
  /** Opens the place, and makes durable what the write is to change. */
  prepare(place: OpenPlace): Promise<void>;
  write(place: OpenPlace): Promise<unknown>;
  /** What else it changes, besides what {@link contentOf} shows. */
  look?(place: OpenPlace): Promise<unknown>;
}

/** Founded, five entries, the second of them a configuration, and a machine that has applied the first. */
async function beginFive(place: OpenPlace): Promise<void> {
  await place.beginFounded();
  const batches = [batchOf(1), configurationBatch(2, ['a']), batchOf(3), batchOf(4), batchOf(5)];
  await place.current.persist([request({ seq: 2, batches })]);
  await place.apply(1, { changed: 'before', deleted: 'before' });
}

/** Carries the machine to index 3, and does not flush it. */
function workOn({ machine }: OpenPlace): void {
  machine.put(key('added'), key('after'));
  machine.put(key('changed'), key('after'));
  machine.delete(key('deleted'));
  machine.advance(index(3), 30);
}

const replacement = [
  batchOf(4, { inTerm: 10, entries: ['x', 'y'], logTimeMs: 400 }),
  configurationBatch(6, ['b', 'c'], 10),
];

/** The kinds of writes that a node relies on. */
export const writeKinds: readonly WriteKind[] = [
  {
    what: 'a term',
    prepare: beginFive,
    write: ({ current }) => current.persist([request({ seq: 3, hardState: hardState(10) })]),
  },
  {
    what: 'a vote',
    prepare: async (place) => {
      await beginFive(place);
      await place.current.persist([request({ seq: 3, hardState: hardState(10) })]);
    },
    write: ({ current }) => current.persist([request({ seq: 4, hardState: hardState(10, 'n2') })]),
  },
  {
    what: 'a founding',
    prepare: (place) => place.begin(),
    write: ({ current }) => current.found(founding),
  },
  {
    what: 'new entries',
    prepare: beginFive,
    write: ({ current }) =>
      current.persist([request({ seq: 3, batches: [batchOf(6), configurationBatch(7, ['b'])] })]),
  },
  {
    what: 'a truncation',
    prepare: beginFive,
    write: ({ current }) => current.persist([request({ seq: 3, truncateFrom: index(2) })]),
  },
  {
    what: 'entries in the place of others',
    prepare: beginFive,
    write: ({ current }) =>
      current.persist([request({ seq: 3, truncateFrom: index(4), batches: replacement })]),
  },
  {
    what: 'a compaction',
    prepare: async (place) => {
      await beginFive(place);
      await place.apply(3, { a: '1' });
    },
    write: ({ current }) => current.persist([compaction(3)]),
  },
  {
    what: 'the data of the machine',
    prepare: beginFive,
    write: (place) => {
      workOn(place);
      return place.current.persist([]);
    },
  },
  {
    what: 'a request of all kinds',
    prepare: beginFive,
    write: (place) => {
      workOn(place);
      const all = { hardState: hardState(10, 'n2'), truncateFrom: index(4), batches: replacement };
      return place.current.persist([request({ seq: 3, ...all })]);
    },
  },
  {
    what: 'requests of all kinds',
    prepare: beginFive,
    write: (place) => {
      workOn(place);
      return place.current.persist([
        request({ seq: 3, hardState: hardState(10) }),
        request({ seq: 4, truncateFrom: index(5), batches: [batchOf(5, { inTerm: 9 })] }),
        compaction(2),
        request({ seq: 5, truncateFrom: index(4), batches: replacement }),
        request({ seq: 6, hardState: hardState(10, 'n2'), batches: [batchOf(7, { inTerm: 10 })] }),
      ]);
    },
  },
  {
    what: 'a chunk of a snapshot',
    prepare: async (place) => {
      await beginOld(place);
      await place.current.stage('t1');
    },
    write: async ({ current }) => (await current.stage('t1')).append(tinyChunk(8)),
    look: async ({ current }) => (await current.stage('t1')).nextChunk,
  },
  {
    what: 'a switch to a snapshot',
    prepare: async (place) => {
      await beginOld(place);
      await receive(place.current, 't1', [tinyChunk(8)]);
    },
    write: ({ current }) => current.install(switchTo('t1')),
  },
];

/** What an open store holds, as far as it says without reading its log. */
export function factsOf({ current, machine }: OpenPlace, loaded: Loaded): Readonly<Record<string, unknown>> {
  const view = current.viewMachine();
  const position = [machine.appliedIndex, view.index, view.logTimeMs];
  view.close();
  const { hardState, log, configurations, founding } = loaded;
  return { hardState, founding, log, configurations, position, data: entriesOf(machine) };
}

/** All that an open store holds, but how often it was opened. */
export async function contentOf(
  place: OpenPlace,
  loaded: Loaded,
  kind: WriteKind,
): Promise<Readonly<Record<string, unknown>>> {
  const facts = factsOf(place, loaded);
  const batches = await place.read(loaded.log.startIndex + 1);
  return { ...facts, batches, staged: await kind.look?.(place) };
}
