import type { RegisterOperation, RegisterResult } from '../../src/testing/index.ts';
import { type Answer, ask } from '../integration/harness/http.ts';
import type { KvOutcome } from './key-record.ts';

/** How long a request waits at the server, and how long its client waits for the server. */
const serverMs = 1_500;
const clientMs = 2_500;

/** An outcome, and the words for it in the report: `ok`, or the code of the error. */
export interface Told {
  readonly outcome: KvOutcome;
  readonly code: string;
}

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
  try {
    const answer = await ask(url, line, { headers, timeoutMs: clientMs, ...(body === null ? {} : { body }) });
    return toldBy(answer, line, operation);
  } catch (error) {
    if (error instanceof UnforeseenAnswer) throw error;
    const { code = 'NO_ANSWER' } = error as { code?: string };
    const outcome = code === 'ECONNREFUSED' ? 'notCommitted' : 'unknown'; // What was not connected was not asked.
    return { outcome: { type: outcome }, code };
  }
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
  if (status === 200) return { outcome: { type: 'ok', result: resultOf(answer, operation) }, code: 'ok' };
  const { code, outcome } = answer.error;
  if (status === 404 && code === 'KV_NOT_FOUND' && operation.type === 'get')
    return { outcome: { type: 'ok', result: { type: 'get', value: null } }, code: 'ok' };
  if (status !== 503 && status !== 429)
    throw new UnforeseenAnswer(`${line} answers ${status}: ${answer.text}`);
  return { outcome: { type: outcome }, code };
}

function resultOf(answer: Answer, { type }: RegisterOperation): RegisterResult {
  if (type === 'get') return { type, value: answer.text };
  const { existed, length, swapped } = answer.json as { existed: boolean; length: number; swapped: boolean };
  switch (type) {
    case 'put':
      return { type };
    case 'delete':
      return { type, existed };
    case 'append':
      return { type, length };
    case 'cas':
      return { type, swapped };
  }
}
