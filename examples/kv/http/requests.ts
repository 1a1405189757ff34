import type { ReadAnswer, ReadOptions, RequestOptions } from 'rxraft';
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
 * Headers that say where an answer comes from: `rxraft-index` is the index that it reflects at least, and
 * `rxraft-age-ms`, of a stale read, how long ago this node last heard from a leader, unless it never has.
 */
export function originOf(
  { index, ageMs }: ReadAnswer<unknown>,
  { consistency }: ReadOptions,
): Record<string, string> {
  const origin = { 'rxraft-index': String(index) };
  return consistency === 'stale' && ageMs !== null ? { ...origin, 'rxraft-age-ms': String(ageMs) } : origin;
}
