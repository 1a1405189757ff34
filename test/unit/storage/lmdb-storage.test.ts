import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/core/crc32.ts';
import { encodePayload, index, type PersistReq, term, votersOnly } from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { encodeRecord } from '../../../src/storage/record.ts';
import { GroupKeys, storeKey, tables } from '../../../src/storage/store-keys.ts';
import { appending, batchAt } from './batches.ts';

const folder = mkdtempSync(join(tmpdir(), 'rxraft-lmdb-'));
const keys = new GroupKeys(0);
const founding = {
  clusterId: 'c',
  configuration: votersOnly([{ id: 'n1', storeId: 's', url: 'ws://127.0.0.1:1' }]),
};
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A closed store of n1 with a log of six batches in two terms and a machine at index 4. */
async function storeWithData(): Promise<string> {
  const path = join(folder, `store-${count++}`);
  const storage = lmdbStorage({ path, nodeId: 'n1' });
  await storage.open();
  await storage.found(founding);
  await storage.persist(appending(1, 2, 3));
  const hardState = { currentTerm: term(2), votedFor: null };
  const batches = [4, 5, 6].map((at) => batchAt(at, 2));
  await storage.persist([{ type: 'persistReq', seq: 2, hardState, batches }]);
  storage.machineStore.put(Uint8Array.of(1), Uint8Array.of(1));
  storage.machineStore.advance(index(4), 40);
  await storage.close();
  return path;
}

/** Changes what is in a store behind its back. */
async function tamper(
  path: string,
  change: (database: RootDatabase<Uint8Array, Uint8Array>) => void,
): Promise<void> {
  const database = open<Uint8Array, Uint8Array>({
    path,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  await database.transaction(() => change(database));
  await database.close();
}

/** What opening a store rejects with, once it is clear that the file is as it was. */
async function refusal(path: string, nodeId = 'n1'): Promise<Error & { readonly code?: string }> {
  const before = readFileSync(join(path, 'data.mdb'));
  const error = await lmdbStorage({ path, nodeId })
    .open()
    .catch((each: unknown) => each);
  expect(readFileSync(join(path, 'data.mdb')).equals(before)).toBe(true);
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

/** Bytes that look random and are the same every time. */
function noise(length: number): Buffer {
  let state = 1;
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

describe('a store whose records are damaged', () => {
  const damages: readonly {
    readonly what: string;
    readonly key: Uint8Array;
    readonly names: string;
  }[] = [
    { what: 'the format', key: storeKey('format'), names: 'record format' },
    { what: 'the identity', key: storeKey('store'), names: 'record store' },
    { what: 'the founding', key: keys.record('founding'), names: 'record founding' },
    { what: 'term and vote', key: keys.record('hardState'), names: 'record hardState' },
    { what: 'the applied index', key: keys.record('machine'), names: 'record machine' },
    { what: 'a term', key: keys.at(tables.terms, index(4)).slice(), names: 'term at index 4' },
    {
      what: 'a configuration',
      key: keys.at(tables.configurations, index(0)).slice(),
      names: 'configuration at index 0',
    },
    { what: 'the last batch', key: keys.at(tables.log, index(6)).slice(), names: 'the batch at index 6' },
  ];

  for (const { what, key, names } of damages) {
    it(`is not opened when a bit of ${what} has flipped, and says which key`, async () => {
      const path = await storeWithData();
      await tamper(path, (database) => {
        const value = Uint8Array.from(database.get(key) as Uint8Array);
        value[value.length - 1] = (value[value.length - 1] as number) ^ 1;
        database.putSync(key, value);
      });

      const error = await refusal(path);

      expect(error).toMatchObject({ name: 'StorageError', code: 'RAFT_STORE_DAMAGED' });
      expect(error.message).toContain(names);
      expect(error.message).toContain('join again with a new store');
    });
  }

  const losses: readonly { readonly what: string; readonly key: Uint8Array }[] = [
    { what: 'the first batch', key: keys.at(tables.log, index(1)).slice() },
    { what: 'the last term', key: keys.at(tables.terms, index(4)).slice() },
    { what: 'the first term', key: keys.at(tables.terms, index(1)).slice() },
    { what: 'the founding configuration', key: keys.at(tables.configurations, index(0)).slice() },
    { what: 'the founding', key: keys.record('founding') },
    { what: 'term and vote', key: keys.record('hardState') },
  ];

  for (const { what, key } of losses) {
    it(`is not opened when ${what} is gone`, async () => {
      const path = await storeWithData();
      await tamper(path, (database) => void database.removeSync(key));

      expect(await refusal(path)).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
    });
  }

  it('is not opened when the machine is ahead of the log', async () => {
    const path = await storeWithData();
    await tamper(path, (database) =>
      database.putSync(keys.record('machine'), encodeRecord({ generation: 0, index: 7, logTimeMs: 0 })),
    );

    const error = await refusal(path);

    expect(error).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
    expect(error.message).toContain('applied index 7, and the log ends with index 6');
  });

  it('says it when a batch is read that the start did not look at', async () => {
    const path = await storeWithData();
    await tamper(path, (database) => {
      const key = keys.at(tables.log, index(2)).slice();
      const value = Uint8Array.from(database.get(key) as Uint8Array);
      value[50] = (value[50] as number) ^ 1;
      database.putSync(key, value);
      database.removeSync(keys.at(tables.log, index(4)).slice());
    });
    const read = async (from: number) => {
      const storage = lmdbStorage({ path });
      await storage.open();
      const error = await storage
        .readLog({ from: index(from), maxBytes: 1000 })
        .catch((each: unknown) => each);
      const next = await storage.persist([]).catch((each: unknown) => each);
      await storage.close();
      return [error, next];
    };

    const [flipped, afterwards] = await read(1);
    const [missing] = await read(3);
    const [missingFirst] = await read(4);

    expect(flipped).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
    expect((flipped as Error).message).toContain('the batch at index 2 is badPayloadChecksum');
    expect(afterwards).toMatchObject({ code: 'RAFT_STORE_FAILED' });
    expect((missing as Error).message).toContain('the batch at index 4 is gone');
    expect(missingFirst).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
  });
});

describe('a store that is not for us', () => {
  it('is left alone when a newer version wrote it', async () => {
    const path = await storeWithData();
    await tamper(path, (database) => {
      database.putSync(storeKey('format'), encodeRecord(2));
      database.putSync(storeKey('store'), Uint8Array.of(1, 2, 3)); // As only that version knows.
    });

    const error = await refusal(path);

    expect(error).toMatchObject({ code: 'RAFT_STORE_NEWER' });
    expect(error.message).toContain('format 2');
  });

  it.each([0, -1, 1.5, '1', null])('is damaged when the version of its format is %j', async (version) => {
    const path = await storeWithData();
    await tamper(path, (database) => database.putSync(storeKey('format'), encodeRecord(version)));

    const error = await refusal(path);

    expect(error).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
    expect(error.message).toContain(`record format in ${path} is ${JSON.stringify(version)}, no version`);
  });

  it('is left alone when it belongs to another node, with both names in the message', async () => {
    const path = await storeWithData();

    const error = await refusal(path, 'n2');

    expect(error).toMatchObject({ code: 'RAFT_STORE_OTHER_NODE' });
    expect(error.message).toContain('belongs to node n1, and was opened as n2');
    expect(error.message).toContain('Start n2 with the path of its own store');
  });

  it('is left alone when another program made it', async () => {
    const path = join(folder, `store-${count++}`);
    await tamper(path, (database) => database.putSync(Uint8Array.of(9), Uint8Array.of(9)));

    expect(await refusal(path)).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
  });
});

describe('a data file that is not one', () => {
  it('is refused when it is noise', async () => {
    for (const length of [1, 100, 4096, 8192, 100_000]) {
      const path = join(folder, `store-${count++}`);
      mkdirSync(path);
      writeFileSync(join(path, 'data.mdb'), noise(length));

      const error = await refusal(path);

      expect(error).toMatchObject({ name: 'StorageError', code: 'RAFT_STORE_DAMAGED' });
      expect(error.message).toContain(join(path, 'data.mdb'));
    }
  });

  it('is refused when noise has replaced everything but the headers', async () => {
    const path = await largeStore();
    const bytes = readFileSync(join(path, 'data.mdb'));
    noise(bytes.length - 8192).copy(bytes, 8192);
    writeFileSync(join(path, 'data.mdb'), bytes);

    expect(await refusal(path)).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
  });

  it('is refused when noise has replaced a header', async () => {
    for (const at of [0, 4096]) {
      const path = await storeWithData();
      const bytes = readFileSync(join(path, 'data.mdb'));
      noise(200).copy(bytes, at);
      writeFileSync(join(path, 'data.mdb'), bytes);

      expect(await refusal(path)).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
    }
  });

  it('is refused when it was cut off', async () => {
    const whole = await largeStore();
    const storage = lmdbStorage({ path: whole });
    await storage.open();
    storage.machineStore.put(Uint8Array.of(1), new Uint8Array(100_000)); // In pages of its own, at the end.
    await storage.close();
    const { size } = statSync(join(whole, 'data.mdb'));
    const bytes = readFileSync(join(whole, 'data.mdb'));
    for (const length of [10, 4096, 8192, 12_288, size >> 1, size - 9 * 4096]) {
      const path = join(folder, `store-${count++}`);
      mkdirSync(path);
      writeFileSync(join(path, 'data.mdb'), bytes.subarray(0, length));

      expect(await refusal(path)).toMatchObject({ code: 'RAFT_STORE_DAMAGED' });
    }
  });

  it('is opened when what was cut off held nothing, since LMDB does not write free pages at the end', async () => {
    const path = await largeStore({ truncateFrom: 350 });
    const { size } = statSync(join(path, 'data.mdb'));

    const { lastPage } = newestMeta(path);
    const storage = lmdbStorage({ path });
    const { log } = await storage.open();
    await storage.close();

    expect(size).toBeLessThan((lastPage + 1) * 4096);
    expect(log.lastIndex).toBe(349);
  });

  it('is opened when it is empty: the process was killed before the first write', async () => {
    const path = join(folder, `store-${count++}`);
    mkdirSync(path);
    writeFileSync(join(path, 'data.mdb'), '');
    const storage = lmdbStorage({ path });

    const { bootCounter } = await storage.open();
    await storage.close();

    expect(bootCounter).toBe(1);
  });
});

/** A closed store of a megabyte: 1,050 batches of 938 bytes. */
async function largeStore({ truncateFrom }: { truncateFrom?: number } = {}): Promise<string> {
  const path = join(folder, `store-${count++}`);
  const storage = lmdbStorage({ path });
  await storage.open();
  const hardState = { currentTerm: term(1), votedFor: null };
  const payload = encodePayload([new Uint8Array(886)]);
  const batches = Array.from({ length: 1050 }, (_, at) => {
    return { ...batchAt(at + 1), payload, payloadChecksum: crc32(payload) };
  });
  for (let at = 0; at < batches.length; at += 50) {
    await storage.persist([{ type: 'persistReq', seq: 1, hardState, batches: batches.slice(at, at + 50) }]);
  }
  if (truncateFrom !== undefined) {
    await storage.persist([{ type: 'persistReq', seq: 2, truncateFrom: index(truncateFrom), batches: [] }]);
  }
  await storage.close();
  return path;
}

function newestMeta(path: string): { readonly lastPage: number } {
  const bytes = readFileSync(join(path, 'data.mdb'));
  const metas = [0, 4096].map((at) => ({
    lastPage: Number(bytes.readBigUInt64LE(at + 144)),
    transaction: bytes.readBigUInt64LE(at + 152),
  }));
  const [first, second] = metas as [(typeof metas)[number], (typeof metas)[number]];
  return first.transaction > second.transaction ? first : second;
}

describe('a folder for a store', () => {
  it('is made, with those above it', async () => {
    const path = join(folder, 'deep', 'down', 'store');
    const storage = lmdbStorage({ path });

    await storage.open();
    await storage.close();

    expect(readdirSync(path)).toContain('data.mdb');
  });

  const file = join(folder, 'a-file');
  const misfits: readonly { readonly what: string; readonly path: string; readonly reason: string }[] = [
    { what: 'that is a file', path: file, reason: `${file} is not a folder (EEXIST)` },
    { what: 'below a file', path: join(file, 'store'), reason: `${file} is not a folder (EEXIST)` },
    { what: 'where the system takes none', path: '/proc/none/store', reason: '/proc/none' },
  ];

  for (const { what, path, reason } of misfits) {
    it(`is refused ${what}, and named`, async () => {
      writeFileSync(file, 'x');

      const error = await lmdbStorage({ path })
        .open()
        .catch((each: unknown) => each);

      expect(error).toMatchObject({ code: 'RAFT_STORE_FAILED' });
      expect((error as Error).message).toContain(`the folder ${path} can't be used for a store: `);
      expect((error as Error).message).toContain(reason);
      expect((error as Error).message).toContain('Nothing was changed. Give the store a folder that');
    });
  }
});

describe('groups', () => {
  it('have data apart in one folder, and one identity', async () => {
    const path = join(folder, `store-${count++}`);
    const one = lmdbStorage({ path, group: 1 });
    const first = await one.open();
    await one.persist([{ ...(appending(1)[0] as PersistReq), batches: [{ ...batchAt(1), group: 1 }] }]);
    one.machineStore.put(Uint8Array.of(1), Uint8Array.of(1));
    await one.close();
    const two = lmdbStorage({ path, group: 2 });

    const second = await two.open();
    const found = [...two.machineStore.range({})];
    await two.close();

    expect(second.storeId).toBe(first.storeId);
    expect(second.log.lastIndex).toBe(0);
    expect(found).toEqual([]);
  });

  it('refuse a batch of another one', async () => {
    const storage = lmdbStorage({ path: join(folder, `store-${count++}`), group: 1 });
    await storage.open();

    await expect(storage.persist(appending(1))).rejects.toThrow('a batch of group 0 was given');

    await storage.close();
  });
});
