import { describe, expect, it } from 'vitest';
import type { DiskImage, MemoryDisk } from '../../../src/storage/memory-disk.ts';
import { storageOutageCases } from '../../../src/testing/storage-outage-cases.ts';
import { writeKinds } from '../../../src/testing/storage-write-kinds.ts';
import { failedCases, LazyDisk, SplitDisk } from './broken-disk.ts';

type Comparison = (before: DiskImage, after: DiskImage) => boolean;

const isOfLog: Comparison = (before, after) => before.machine.generation === after.machine.generation;
const appends: Comparison = (before, after) => after.log.lastIndex > before.log.lastIndex;
const compacts: Comparison = (before, after) =>
  isOfLog(before, after) && after.log.startIndex > before.log.startIndex;
const truncates: Comparison = (before, after) =>
  isOfLog(before, after) &&
  !compacts(before, after) &&
  before.batches.some((batch) => !after.batches.includes(batch));

/** Which writes the disk answers unflushed, and of which kinds of writes the suite sees it. */
const lazy: Readonly<Record<string, readonly [isLazy: Comparison, kinds: readonly string[]]>> = {
  'terms and votes': [
    (before, after) => before.hardState !== after.hardState && !appends(before, after),
    ['a term', 'a vote'],
  ],
  'a founding': [(before, after) => before.founding !== after.founding, ['a founding']],
  'new entries': [(before, after) => appends(before, after) && !truncates(before, after), ['new entries']],
  truncations: [truncates, ['a truncation', 'entries in the place of others', 'a request of all kinds']],
  compactions: [compacts, ['a compaction', 'requests of all kinds']],
  'the machine': [
    (before, after) => before.machine !== after.machine && before.log.lastIndex === after.log.lastIndex,
    ['the data of the machine'],
  ],
  'a switch to a snapshot': [
    (before, after) => before.machine.generation !== after.machine.generation,
    ['a switch to a snapshot'],
  ],
  chunks: [
    (before, after) => after.stage !== null && before.stage !== after.stage,
    ['a chunk of a snapshot'],
  ],
};

/** What is in the second transaction. */
const split: Readonly<Record<string, (name: keyof DiskImage) => boolean>> = {
  'term and vote after the rest': (name) => name === 'hardState',
  'term and vote before the rest': (name) => name !== 'hardState',
  'the machine after the log': (name) => name === 'machine' || name === 'generations',
  'the applied index after its data': (name) => name === 'machine',
  'the configurations after the log': (name) => name === 'configurations',
};

const wholeOf = (kind: string, end: 'kill' | 'losePower') =>
  `has ${kind} whole or not at all whenever it ends, and whole once it was answered: ${end}`;
const leftOf = (kind: string) => `has flushed what a killed process left of ${kind} once it is open`;

/** Which of these cases a disk does not pass. */
function failedOf(names: readonly string[], newDisk: () => MemoryDisk): Promise<readonly string[]> {
  const cases = storageOutageCases.filter(({ name }) => names.includes(name));
  expect(cases.map(({ name }) => name).sort()).toEqual([...names].sort());
  return failedCases(cases, newDisk);
}

describe('the conformance suite about kills and power cuts', () => {
  it('passes disks that are lazy about nothing, or leave nothing for later', async () => {
    expect(await failedCases(storageOutageCases, () => new LazyDisk(() => false))).toEqual([]);
    expect(await failedCases(storageOutageCases, () => new SplitDisk(() => false))).toEqual([]);
  });

  for (const [what, [isLazy, kinds]] of Object.entries(lazy)) {
    it(`catches a storage that answers before it has flushed: ${what}`, async () => {
      const names = kinds.map((kind) => wholeOf(kind, 'losePower'));

      expect(await failedOf(names, () => new LazyDisk(isLazy))).toEqual(names);
    });
  }

  it('catches a storage that believes what a killed process left, and has not flushed it', async () => {
    const boots: Comparison = (before, after) => before.bootCounter !== after.bootCounter;
    const opened = 'has been opened, as which store and by which node, once it is open: losePower';
    const names = [opened, ...writeKinds.map(({ what }) => leftOf(what))];

    expect(await failedOf(names, () => new LazyDisk(boots))).toEqual(names);
  });

  for (const [what, isLate] of Object.entries(split)) {
    it(`catches a storage that writes in two transactions: ${what}`, async () => {
      const kinds = ['a request of all kinds', 'requests of all kinds'];
      const names = (['kill', 'losePower'] as const).flatMap((end) =>
        kinds.map((kind) => wholeOf(kind, end)),
      );

      expect(await failedOf(names, () => new SplitDisk(isLate))).toEqual(names);
    });
  }
});
