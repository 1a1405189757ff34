import { join } from 'node:path';
import type { NodeId, StoreId } from '../core/index.ts';
import { damaged } from './damage.ts';
import { StorageError } from './errors.ts';
import type { Environment } from './lmdb-tables.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import { storeKey } from './store-keys.ts';

/** What this version writes. A store of a higher one is refused; `docs/formats.md` says when it is raised. */
export const formatVersion = 1;
const formatKey = storeKey('format');
const identityKey = storeKey('store');

/** Whose store it is, and how often it was opened. */
export interface Identity {
  readonly storeId: StoreId;
  readonly nodeId: NodeId | null;
  readonly bootCounter: number;
}

/** Whose store this is; `undefined` if it is new. Rejects one that is newer, damaged, or no store at all. */
export function readIdentity(environment: Environment, path: string): Identity | undefined {
  const format = environment.getBinary(formatKey);
  if (format === undefined) {
    for (const _ of environment.getKeys({ limit: 1 })) {
      throw damaged(`${join(path, 'data.mdb')} has keys and no record format: another program made it`);
    }
    return undefined;
  }
  const version = decodeRecord(format);
  if (version === undefined) throw damaged(`record format in ${path} has a bad checksum`);
  if (!isVersion(version))
    throw damaged(`record format in ${path} is ${JSON.stringify(version)}, no version`);
  if (version > formatVersion) {
    throw new StorageError(
      'RAFT_STORE_NEWER',
      `the store at ${path} has format ${version}, and this version of rxraft reads up to ${formatVersion}. ` +
        'Nothing was changed, and the data are safe. Start the newer version that wrote it.',
    );
  }
  const bytes = environment.getBinary(identityKey);
  const identity = bytes === undefined ? undefined : decodeRecord(bytes);
  if (identity === undefined) throw damaged(`record store in ${path} is gone or has a bad checksum`);
  return identity as Identity;
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** Puts the records of a store into a transaction. */
export function putIdentity(environment: Environment, identity: Identity): void {
  void environment.put(formatKey, encodeRecord(formatVersion));
  void environment.put(identityKey, encodeRecord(identity));
}
