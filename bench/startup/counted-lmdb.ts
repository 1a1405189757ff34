/** Stands in for `lmdb` in a process whose imports go through `lmdb-hooks.ts`: the same, and it counts what is read. */
import { open as openLmdb, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb';

/** What reads single keys, and what reads ranges of them: every other reading method goes through one of the two. */
interface Reads {
  getBinaryFast(...args: unknown[]): unknown;
  getRange(...args: unknown[]): { [Symbol.iterator](): Iterator<unknown> };
}

let count = 0;

/** Keys that this process has read so far. */
export function keysRead(): number {
  return count;
}

export function open(options: RootDatabaseOptionsWithPath): RootDatabase {
  const environment = openLmdb(options);
  const reads = environment as unknown as Reads;
  const getBinaryFast = reads.getBinaryFast.bind(environment);
  const getRange = reads.getRange.bind(environment);
  reads.getBinaryFast = (...args) => {
    count += 1;
    return getBinaryFast(...args);
  };
  reads.getRange = (...args) => {
    const range = getRange(...args);
    const iterate = range[Symbol.iterator].bind(range);
    range[Symbol.iterator] = () => counted(iterate());
    return range;
  };
  return environment;
}

function counted(iterator: Iterator<unknown>): Iterator<unknown> {
  const next = iterator.next.bind(iterator);
  iterator.next = () => {
    const result = next();
    if (result.done !== true) count += 1;
    return result;
  };
  return iterator;
}
