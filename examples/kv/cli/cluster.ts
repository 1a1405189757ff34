import { type Answer, type Ask, askAny, type ErrorText, errorIn, NoAnswer } from './client.ts';
import type { Output } from './output.ts';
import { withProgress } from './progress.ts';

/** What every command that talks to a cluster knows. */
export interface Cluster {
  readonly urls: readonly string[];
  /** The flags that name them again, such as ` --urls http://127.0.0.1:8101`; empty if there were none. */
  readonly flags: string;
  readonly output: Output;
}

/** What a server needs on top of the time that the request may wait, in milliseconds. */
const graceMs = 5_000;

/** How long a request may wait for what it asks for, as `--timeout-ms` says, and for its answer. */
export function waitOf({ timeoutMs }: { readonly timeoutMs?: string }): Pick<Ask, 'timeoutMs' | 'waitMs'> {
  if (timeoutMs === undefined) return { timeoutMs: 5_000 + graceMs };
  return { timeoutMs: Number(timeoutMs) + graceMs, waitMs: Number(timeoutMs) };
}

/**
 * The first good answer of a server, or `null` after having said what went wrong, and what to do then: the
 * command that `remedy` gives for the status of the answer and its error.
 */
export async function answerOf(
  { urls, output }: Cluster,
  request: Ask,
  remedy: (status: number, error: ErrorText) => string,
): Promise<Answer | null> {
  const sinceMs = performance.now();
  try {
    const answer = await withProgress(output, 'no answer yet', askAny(urls, request));
    if (answer.status === 200) return answer;
    const error = errorIn(answer);
    output.json({ error });
    output.fail(`${error.code}: ${error.message}`);
    tellOfOthers(urls, answer.url, sinceMs, output);
    output.next(`rxraft ${remedy(answer.status, error)}`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    const outcome = error.isSent ? 'unknown' : 'notCommitted';
    output.json({ error: { code: 'NO_ANSWER', message: error.message, outcome } });
    output.fail(`${error.message}${meaning(request.method, outcome)}`);
    output.next('npm start starts a cluster; --urls says where one is');
  }
  return null;
}

/** An error speaks for one server, and of the time that this one took. */
function tellOfOthers(urls: readonly string[], last: string, sinceMs: number, output: Output): void {
  const asked = urls.indexOf(last) + 1;
  const seconds = ((performance.now() - sinceMs) / 1_000).toFixed(1);
  if (asked > 1) output.say(`${asked} servers were asked, one after the other, for ${seconds} s in all`);
}

function meaning(method: Ask['method'], outcome: string): string {
  if (method === 'GET') return '';
  return outcome === 'notCommitted'
    ? '\n       Nothing was changed.'
    : '\n       It may have been carried out, or may yet be: read before you repeat it.';
}
