import { type EntryBatch, lastOf } from './batch.ts';
import type { Member } from './configuration.ts';
import type { Peer } from './types.ts';

/** Terms and indexes stay below this, so that counting on from them is exact. */
const numberMax = 2 ** 52;

/** Whether this can be a node’s name, as far as the core cares. */
export function isName(value: unknown): boolean {
  return typeof value === 'string';
}

/** Whether this has a name and a store. */
export function isPeer(peer: Peer): boolean {
  return typeof peer?.id === 'string' && typeof peer.storeId === 'string';
}

/** Whether each of these is a count. What comes with every write asks {@link isCount} of each: no list of them is made. */
export function areCounts(...values: readonly number[]): boolean {
  return values.every(isCount);
}

/** A number as it is; of anything else only its type, since what is no number may have no words at all. */
export function shown(value: unknown): string {
  return typeof value === 'number' ? `${value}` : `of type ${typeof value}`;
}

/** Whether this is a whole number that can be a term, an index, a sequence, or milliseconds. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < numberMax;
}

/** Whether this is an unsigned 32-bit integer, as checksums and groups are. */
export function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

/** Whether this can stand in a configuration. */
export function isMember(member: Member): boolean {
  return isPeer(member) && typeof member.url === 'string';
}

/** Looks at holes too, which `every` passes over. No copy: appends come thousands of times a second. */
export function isEach<Item>(list: readonly Item[], holds: (item: Item) => boolean): boolean {
  for (let at = 0; at < list.length; at++) if (!holds(list[at] as Item)) return false;
  return true;
}

/** Whether this is a list of batches, each well-formed by itself. */
export function areBatches(batches: unknown): boolean {
  return Array.isArray(batches) && isEach<EntryBatch>(batches, isBatch);
}

function isBatch(batch: EntryBatch): boolean {
  const isKnown = batch?.kind === 'command' || batch?.kind === 'noop' || batch?.kind === 'configuration';
  if (!isKnown || !(batch.payload instanceof Uint8Array)) return false;
  const { index, term, count, logTimeMs, payloadChecksum } = batch;
  if (!isCount(index) || !isCount(term) || !isCount(count) || !isCount(logTimeMs)) return false;
  if (index < 1 || term < 1 || count < 1 || !isCount(lastOf(batch))) return false;
  return isU32(payloadChecksum) && isU32(batch.group);
}
