import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { kvMachine } from '../../../examples/kv/kv-machine.ts';
import { index, index0, term } from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { formatVersion } from '../../../src/storage/store-identity.ts';
import { withSessions } from '../../../src/streams/sessions.ts';
import {
  fixedStoreId,
  fixtureOf,
  founders,
  lastIndex,
  later,
  log,
  rowsIn,
  rowsOf,
  storeOf,
  textOf,
  writeStore,
} from './format-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxraft-format-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const newPath = (): string => join(folder, `store-${count++}`);

/** Every format that this version reads. */
const formats = Array.from({ length: formatVersion }, (_, at) => at + 1);
const names = ['whole', 'compacted'] as const;

const configurations = [
  { index: index0, configuration: founders },
  { index: index(6), configuration: later },
];

describe('the disk format', () => {
  // Should this fail, stores on disk would be written differently: `docs/formats.md` says what to do then.
  it.each(names)('of this version is written as it always was: a store that is %s', async (name) => {
    const path = newPath();

    await writeStore(path, { isCompacted: name === 'compacted' });

    await expect(textOf(await rowsOf(path))).toMatchFileSnapshot(fixtureOf(formatVersion, name));
  });

  it.each(formats)('%i is read: a store that is whole', async (format) => {
    const path = newPath();
    await storeOf(path, rowsIn(readFileSync(fixtureOf(format, 'whole'), 'utf8')));
    const storage = lmdbStorage({ path, nodeId: 'n1' });

    const loaded = await storage.open();
    const batches = await storage.readLog({ from: index(1), maxBytes: 10_000 });
    const value = await greetingIn(storage);
    await storage.close();

    expect(loaded).toEqual({
      storeId: fixedStoreId,
      bootCounter: 2,
      founding: { clusterId: 'cluster-1', configuration: founders },
      hardState: { currentTerm: 4, votedFor: { id: 'n2', storeId: 'store-2' } },
      log: {
        startIndex: 0,
        startTerm: 0,
        lastIndex,
        terms: [
          { index: 1, term: 1 },
          { index: 5, term: 3 },
        ],
        lastLogTimeMs: 600,
      },
      configurations,
    });
    expect(plain(batches)).toEqual(plain(log));
    expect(value).toBe('hello world');
  });

  it.each(formats)(
    '%i is read: a store whose log was compacted, and a snapshot half received',
    async (format) => {
      const path = newPath();
      await storeOf(path, rowsIn(readFileSync(fixtureOf(format, 'compacted'), 'utf8')));
      const storage = lmdbStorage({ path, nodeId: 'n1' });

      const loaded = await storage.open();
      const before = await storage.readLog({ from: index(4), maxBytes: 10_000 });
      const batches = await storage.readLog({ from: index(5), maxBytes: 10_000 });
      const { nextChunk, isComplete } = await storage.stage('transfer-1');
      const value = await greetingIn(storage);
      await storage.close();

      expect(loaded.log).toEqual({
        startIndex: 4,
        startTerm: 1,
        lastIndex,
        terms: [{ index: 5, term: term(3) }],
        lastLogTimeMs: 600,
      });
      expect(loaded.configurations).toEqual(configurations);
      expect(before).toBe('compacted');
      expect(plain(batches)).toEqual(plain(log.slice(2)));
      expect({ nextChunk, isComplete }).toEqual({ nextChunk: 1, isComplete: false });
      expect(value).toBe('hello world');
    },
  );
});

/** What the machine holds, and that it knows its session. */
async function greetingIn(storage: ReturnType<typeof lmdbStorage>): Promise<string> {
  const machine = withSessions(kvMachine());
  expect(await machine.open(storage.machineStore)).toBe(4);
  const again = {
    type: 'once',
    session: 2,
    sequence: 1,
    lowestUnanswered: 1,
    command: { type: 'put', key: new Uint8Array(1), value: new Uint8Array() },
  } as const;
  const [answered] = await machine.apply([again], { index: index(5), term: term(3), logTimeMs: 500 });
  expect(answered).toMatchObject({ type: 'applied', result: { result: { type: 'append', length: 11 } } });
  const answer = await machine.query({ type: 'get', key: new Uint8Array(Buffer.from('greeting')) });
  return Buffer.from((answer as { readonly value: Uint8Array }).value).toString();
}

/** Views of LMDB's own buffers as plain lists, so that equality is about the bytes. */
function plain(batches: unknown): unknown {
  return JSON.parse(JSON.stringify(batches, (_, part) => (part instanceof Uint8Array ? [...part] : part)));
}
