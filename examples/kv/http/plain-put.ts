import type { KvServices } from './context.ts';
import { hostProblem } from './host-check.ts';
import { keyHeader, lowestHeader } from './idempotency.ts';
import { jsonAnswer, type PlainAnswer } from './plain-answer.ts';
import type { PlainRequest } from './plain-request.ts';
import { written } from './replicate.ts';
import type { Query } from './target.ts';

/** Whether a request with these headers, and a value as long as this, may write. */
export function mayPut(
  { headers, bodyBytes }: Pick<PlainRequest, 'headers' | 'bodyBytes'>,
  { hosts, limits }: Pick<KvServices, 'hosts' | 'limits'>,
): boolean {
  const host = headers.get('host');
  if (host === undefined || bodyBytes > limits.valueBytesMax) return false;
  return hostProblem({ host, origin: headers.get('origin') }, hosts) === null;
}

/** What a put says besides how long it may take. */
export interface PutFacts {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
}

/** Puts the value under the key. Rejects as the node does, and if what the request says makes no sense. */
export async function answerPut(
  services: KvServices,
  { key, value, headers }: PutFacts,
  query: Query,
): Promise<PlainAnswer> {
  const idempotency = { key: headers.get(keyName), lowest: headers.get(lowestName) };
  const answer = await written(services, { type: 'put', key, value }, { query, idempotency });
  return jsonAnswer(200, {}, answer);
}

const keyName = keyHeader.toLowerCase();
const lowestName = lowestHeader.toLowerCase();
