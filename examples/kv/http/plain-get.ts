import type { KvServices } from './context.ts';
import { answerTo } from './errors.ts';
import { jsonAnswer, type PlainAnswer, plainAnswer } from './plain-answer.ts';
import { keyNotFound, readKey } from './read-key.ts';
import type { Query } from './target.ts';

/** Reads the key. Rejects as the node does. */
export async function answerGet(services: KvServices, key: Uint8Array, query: Query): Promise<PlainAnswer> {
  const { value, headers } = await readKey(services, key, query);
  if (value !== null) return plainAnswer(200, headers, value);
  const { status, body } = answerTo(keyNotFound(), { isRead: true });
  return jsonAnswer(status, headers, body);
}
