import type { StatusBody } from '../http/status-body.ts';
import { type Answer, ask, type ErrorText, errorIn } from './client.ts';
import type { Output } from './output.ts';
import { withProgress } from './progress.ts';

/** What one address answered. */
export interface Reply {
  readonly url: string;
  readonly status: StatusBody | null;
  /** Why there is no status; `null` if there is one. */
  readonly error: string | null;
}

const answerMsMax = 2_000;

/** Asks every address at once for its status. */
export async function askStatus(urls: readonly string[], output: Output): Promise<readonly Reply[]> {
  return withProgress(output, 'waiting for those that do not answer', Promise.all(urls.map(statusFrom)));
}

/** That no address answers, as a program is told. */
export function silence(replies: readonly Reply[]): { readonly error: ErrorText } {
  return { error: { code: 'NO_ANSWER', message: reasonsOf(replies), outcome: 'notCommitted' } };
}

/** Says that no address answers, and what to do. */
export function failSilent(replies: readonly Reply[], output: Output): void {
  output.fail(`nobody answers:\n       ${reasonsOf(replies)}`);
  output.next('npm start starts a cluster; --urls says where one is');
}

function reasonsOf(replies: readonly Reply[]): string {
  return replies.map(({ error }) => error).join('\n       ');
}

async function statusFrom(url: string): Promise<Reply> {
  try {
    const answer = await ask(url, { method: 'GET', path: '/status', timeoutMs: answerMsMax });
    return { url, ...statusIn(answer) };
  } catch (error) {
    return { url, status: null, error: error instanceof Error ? error.message : String(error) };
  }
}

function statusIn(answer: Answer): Pick<Reply, 'status' | 'error'> {
  if (answer.status !== 200) return { status: null, error: `${answer.url}: ${errorIn(answer).message}` };
  return { status: JSON.parse(answer.body.toString('utf8')) as StatusBody, error: null };
}
