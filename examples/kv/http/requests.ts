import type { ReadAnswer, ReadOptions, RequestOptions } from 'rxraft';
import { type KvContext, queryOf } from './context.ts';
import { malformed } from './errors.ts';
import type { Query } from './target.ts';

/** The longest that a request may wait, in milliseconds. */
export const timeoutMsMax = 600_000;

/** What the query says about waiting: `timeoutMs`. */
export function requestOptions(query: Query): RequestOptions {
  const timeoutMs = query.integer('timeoutMs', { min: 1, max: timeoutMsMax });
  return timeoutMs === undefined ? {} : { timeoutMs };
}

/** What the query says about reading: `consistency`, for `session` the `index` too, and `timeoutMs`. */
export function readOptions(query: Query): ReadOptions {
  const consistency = query.oneOf('consistency', ['linearizable', 'session', 'stale']) ?? 'linearizable';
  const index = query.integer('index', { min: 0, max: Number.MAX_SAFE_INTEGER });
  if (consistency === 'session' && index === undefined) {
    throw malformed('consistency=session needs the index of your last write, such as &index=17');
  }
  if (consistency !== 'session' && index !== undefined) {
    throw malformed(`index goes with consistency=session, not with ${consistency}`);
  }
  return { ...requestOptions(query), consistency, ...(index === undefined ? {} : { index }) };
}

/**
 * Says where an answer comes from: `rxraft-index` is the index that it reflects at least, and `rxraft-age-ms`, of a
 * stale read, how long ago this node last heard from a leader, unless it never has.
 */
export function tellOrigin(c: KvContext, { index, ageMs }: ReadAnswer<unknown>): void {
  c.header('rxraft-index', String(index));
  const isStale = readOptions(queryOf(c)).consistency === 'stale';
  if (isStale && ageMs !== null) c.header('rxraft-age-ms', String(ageMs));
}
