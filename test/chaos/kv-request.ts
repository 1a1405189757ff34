import type { RegisterOperation, RegisterResult } from '../../src/testing/index.ts';
import { Answer, ask } from '../integration/harness/http.ts';
import type { KvOutcome } from './key-record.ts';

/** How long a request waits at the server, and how long its client waits for the server. */
const serverMs = 1_500;
const clientMs = 2_500;

/** An outcome, and the words for it in the report: `ok`, or the code of the error. */
export interface Told {
  readonly outcome: KvOutcome;
  readonly code: string;
}

/** What answers may have in their JSON, before anybody has looked at it. */
type Fields = {
  readonly [name in 'error' | 'code' | 'outcome' | 'existed' | 'length' | 'swapped']?: unknown;
};

/** An answer that the contract does not foresee. */
export class UnforeseenAnswer extends Error {
  override readonly name = 'UnforeseenAnswer';
}

/** Asks a server for one operation. Rejects with an `UnforeseenAnswer`. */
export async function request(
  url: string,
  { key, operation, stamp }: { key: string; operation: RegisterOperation; stamp?: string },
): Promise<Told> {
  const headers: Record<string, string> = stamp === undefined ? {} : { 'Idempotency-Key': stamp };
  const line = `${lineOf(key, operation)}?timeoutMs=${serverMs}`;
  const body = bodyOf(operation);
  const sending = { headers, timeoutMs: clientMs, ...(body === null ? {} : { body }) };
  const answer = await ask(url, line, sending).catch((error: NodeJS.ErrnoException) => error);
  if (answer instanceof Answer) return toldBy(answer, line, operation);
  const { code = 'NO_ANSWER' } = answer;
  const outcome = code === 'ECONNREFUSED' ? 'notCommitted' : 'unknown'; // What was not connected was not asked.
  return { outcome: { type: outcome }, code };
}

/** A read from the node's own state: what it has, or `undefined` if it does not answer. */
export async function staleRead(url: string, key: string): Promise<string | null | undefined> {
  const answer = await ask(url, `GET /kv/${key}?consistency=stale`, { timeoutMs: clientMs }).catch(
    () => null,
  );
  if (answer?.status === 200) return answer.text;
  return answer?.status === 404 && answer.error.code === 'KV_NOT_FOUND' ? null : undefined;
}

/** Opens a session; `null` if it is not known to be open. */
export async function openSession(url: string): Promise<number | null> {
  const answer = await ask(url, `POST /session?timeoutMs=${serverMs}`, { timeoutMs: clientMs }).catch(
    () => null,
  );
  return answer?.status === 200 ? (answer.json as { session: number }).session : null;
}

function lineOf(key: string, { type }: RegisterOperation): string {
  switch (type) {
    case 'get':
      return `GET /kv/${key}`;
    case 'put':
      return `PUT /kv/${key}`;
    case 'delete':
      return `DELETE /kv/${key}`;
    case 'append':
      return `POST /append/${key}`;
    case 'cas':
      return `POST /cas/${key}`;
  }
}

function bodyOf(operation: RegisterOperation): string | null {
  if (operation.type === 'cas') return JSON.stringify({ expect: operation.expect, value: operation.value });
  return 'value' in operation ? operation.value : null;
}

function toldBy(answer: Answer, line: string, operation: RegisterOperation): Told {
  const { status } = answer;
  const result = status === 200 ? resultOf(answer, operation) : undefined;
  if (result !== undefined) return { outcome: { type: 'ok', result }, code: 'ok' };
  const { code, outcome } = fieldsOf(fieldsOf(jsonOf(answer)).error);
  if (status === 404 && code === 'KV_NOT_FOUND' && operation.type === 'get')
    return { outcome: { type: 'ok', result: { type: 'get', value: null } }, code: 'ok' };
  const isForeseen = (status === 503 || status === 429) && typeof code === 'string';
  if (isForeseen && (outcome === 'unknown' || outcome === 'notCommitted'))
    return { outcome: { type: outcome }, code };
  throw new UnforeseenAnswer(`${line} answers ${status}: ${answer.text}`);
}

/** What a success says; `undefined` if that is not what this operation can have come to. */
function resultOf(answer: Answer, { type }: RegisterOperation): RegisterResult | undefined {
  if (type === 'get') return { type, value: answer.text };
  const { existed, length, swapped } = fieldsOf(jsonOf(answer));
  switch (type) {
    case 'put':
      return { type };
    case 'delete':
      return typeof existed === 'boolean' ? { type, existed } : undefined;
    case 'append':
      return typeof length === 'number' ? { type, length } : undefined;
    case 'cas':
      return typeof swapped === 'boolean' ? { type, swapped } : undefined;
  }
}

/** `undefined` if it is no JSON. */
function jsonOf(answer: Answer): unknown {
  try {
    return answer.json;
  } catch {
    return undefined;
  }
}

/** The fields of a value; none if it has none. */
function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? value : {};
}
