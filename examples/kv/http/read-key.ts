import { type KvServices, nodeOf } from './context.ts';
import { KvError } from './errors.ts';
import { originOf, readOptions } from './requests.ts';
import type { Query } from './target.ts';

/** What is under a key, `null` if it is not there, and the headers of an answer that says so. */
export interface KeyRead {
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads a key as the query says. */
export async function readKey(services: KvServices, key: Uint8Array, query: Query): Promise<KeyRead> {
  const node = nodeOf(services);
  const options = readOptions(query);
  const answer = await node.read({ type: 'get', key }, options);
  const origin = originOf(answer, options);
  const value = answer.value.type === 'get' ? answer.value.value : null;
  return { value, headers: value === null ? origin : { ...origin, ...valueHeaders } };
}

/** The error that goes with `null`. */
export function keyNotFound(): KvError {
  return new KvError(404, 'KV_NOT_FOUND', 'the key is not there');
}

/** Whatever was stored, a browser must not run it. */
const valueHeaders = { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' };
