import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { kvMachine } from '../../../examples/kv/kv-machine.ts';
import {
  type BatchKind,
  crc32,
  type EntryBatch,
  encodeConfiguration,
  encodePayload,
  index,
  type Member,
  term,
  votersOnly,
} from '../../../src/core/index.ts';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { decodeRecord, encodeRecord } from '../../../src/storage/record.ts';
import { GroupKeys, indexOfKey, storeKey, tables } from '../../../src/storage/store-keys.ts';
import { withSessions } from '../../../src/streams/sessions.ts';

/** What LMDB holds: keys and values, in the order of the keys. */
export type Rows = readonly (readonly [key: Uint8Array, value: Uint8Array])[];

/** The store id that stands in a fixture instead of one that is drawn. */
export const fixedStoreId = '0123456789abcdef';

const member = (number: number): Member => ({
  id: `n${number}`,
  storeId: `store-${number}`,
  url: `ws://10.0.0.${number}:7101`,
});
/** Who founded the cluster. */
export const founders = votersOnly([member(1), member(2), member(3)]);
/** Who is in it after the change at index 6. */
export const later = { ...founders, learners: [{ ...member(4), willVote: true as const }] };

const machine = withSessions(kvMachine());
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const commands = [
  { type: 'open' },
  { type: 'plain', command: { type: 'put', key: bytes('greeting'), value: bytes('hello') } },
  {
    type: 'once',
    session: 2,
    sequence: 1,
    lowestUnanswered: 1,
    command: { type: 'append', key: bytes('greeting'), value: bytes(' world'), valueBytesMax: 100 },
  },
] as const;

function batchOf(first: number, inTerm: number, kind: BatchKind, payload: Uint8Array, count = 1): EntryBatch {
  const [at, of] = [index(first), term(inTerm)];
  const header = { group: 0, index: at, term: of, count, kind, logTimeMs: first * 100 };
  return { ...header, payload, payloadChecksum: crc32(payload) };
}

const nothing = encodePayload([new Uint8Array()]);
/** A log of two terms, with every kind of batch. */
export const log: readonly EntryBatch[] = [
  batchOf(1, 1, 'noop', nothing),
  batchOf(2, 1, 'command', encodePayload(commands.map(machine.command.encode)), commands.length),
  batchOf(5, 3, 'noop', nothing),
  batchOf(6, 3, 'configuration', encodeConfiguration(later)),
];

/**
 * Writes a store of this version: a founded member with a log of two terms, a vote, and a machine of the key-value
 * server with a session in it; then, if it is wanted, compacts the log through 4 and begins to receive a snapshot.
 */
export async function writeStore(
  path: string,
  { isCompacted }: { readonly isCompacted: boolean },
): Promise<void> {
  const storage = lmdbStorage({ path, nodeId: 'n1' });
  await storage.open();
  await storage.found({ clusterId: 'cluster-1', configuration: founders });
  await machine.open(storage.machineStore);
  await machine.apply(commands, { index: index(2), term: term(1), logTimeMs: 200 });
  storage.machineStore.advance(index(4), 200);
  const hardState = { currentTerm: term(4), votedFor: { id: 'n2', storeId: 'store-2' } };
  await storage.persist([{ type: 'persistReq', seq: 1, hardState, batches: log }]);
  if (isCompacted) {
    const through = { through: index(4), throughTerm: term(1) };
    await storage.persist([{ type: 'compactLogReq', seq: 2, ...through }]);
    const view = storage.viewMachine();
    const chunk = view.chunk(0);
    view.close();
    if (chunk === undefined) throw new Error('the machine holds something');
    await (await storage.stage('transfer-1')).append({ ...chunk, isLast: false });
  }
  await storage.close();
}

function database(path: string): RootDatabase<Uint8Array, Uint8Array> {
  return open<Uint8Array, Uint8Array>({
    path,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
}

/** What a store holds, with the store's id replaced, and without batches that wait to be swept away. */
export async function rowsOf(path: string): Promise<Rows> {
  const environment = database(path);
  const rows = [...environment.getRange({})].map(({ key, value }) => [
    Uint8Array.from(key),
    Uint8Array.from(value),
  ]) as unknown as Rows;
  await environment.close();
  const start = startOf(rows);
  const isKept = ([key]: Rows[number]) => key[0] !== tables.log || indexOfKey(key) > start;
  return rows.filter(isKept).map(([key, value]) => [key, withFixedId(key, value)] as const);
}

function startOf(rows: Rows): number {
  const key = new GroupKeys(0).record('logStart');
  const row = rows.find(([each]) => Buffer.compare(each, key) === 0);
  return row === undefined ? 0 : (decodeRecord(row[1]) as { index: number }).index;
}

function withFixedId(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (Buffer.compare(key, storeKey('store')) !== 0) return value;
  return Uint8Array.from(encodeRecord({ ...(decodeRecord(value) as object), storeId: fixedStoreId }));
}

/** Makes a store of these rows, as another process would have left it. */
export async function storeOf(path: string, rows: Rows): Promise<void> {
  const environment = database(path);
  await environment.transaction(() => {
    for (const [key, value] of rows) environment.putSync(key, value);
  });
  await environment.close();
}

/** Rows as text: key and value in hexadecimal, one row a line. */
export function textOf(rows: Rows): string {
  const hex = (each: Uint8Array): string => Buffer.from(each).toString('hex');
  return rows.map(([key, value]) => `${hex(key)} ${hex(value)}\n`).join('');
}

/** What {@link textOf} has written. */
export function rowsIn(text: string): Rows {
  const fromHex = (hex = ''): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.split(' ')).map(([key, value]) => [fromHex(key), fromHex(value)] as const);
}

/** Where the fixture of a format is. */
export function fixtureOf(format: number, name: string): string {
  return join(import.meta.dirname, `../../fixtures/store-format-${format}-${name}.txt`);
}

/** The last index of the log. */
export const lastIndex = index(6);
