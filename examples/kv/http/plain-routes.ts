import type { KvServices } from './context.ts';
import { refusalOf } from './errors.ts';
import { jsonAnswer, type PlainAnswer } from './plain-answer.ts';
import { answerGet } from './plain-get.ts';
import { answerPut, mayPut } from './plain-put.ts';
import type { PlainRequest } from './plain-request.ts';
import { keyIn, Query, splitTarget } from './target.ts';

/** Whether this server takes it; why not is for the application to say. */
export function isWelcome(request: PlainRequest, services: KvServices): boolean {
  return request.method === 'GET' || mayPut(request, services);
}

/** Carries it out. Resolves with what the application would answer, also if it fails. */
export async function answerPlain(
  { method, target, headers }: PlainRequest,
  value: Uint8Array,
  services: KvServices,
): Promise<PlainAnswer> {
  const { path, query: text } = splitTarget(target);
  try {
    const key = keyIn(path, '/kv/', services.limits.keyBytesMax);
    const query = new Query(text);
    if (method === 'GET') return await answerGet(services, key, query);
    return await answerPut(services, { key, value, headers }, query);
  } catch (error) {
    const { status, headers, body } = refusalOf(error, { method, path }, services.logger);
    return jsonAnswer(status, headers, body);
  }
}
