import { type Ask, askAny, type ErrorText, errorIn, NoAnswer } from './client.ts';
import { answerOf, type Cluster, waitOf } from './cluster.ts';
import { withProgress } from './progress.ts';

/** How long a command waits. */
export interface WaitOptions {
  readonly timeoutMs?: string;
}

/** What an operator asks of the cluster. */
interface Work {
  readonly path: string;
  readonly body: object;
  readonly options: WaitOptions;
  /** The command that helps, by the status of an answer that is an error, and by the error in it. */
  readonly remedy: (status: number, error: ErrorText) => string;
}

/** `rxraft transfer [ID]`: hands leadership over. */
export async function transfer(
  cluster: Cluster,
  to: string | undefined,
  options: WaitOptions,
): Promise<void> {
  const { flags, output } = cluster;
  const body = to === undefined ? {} : { to };
  const remedy = (): string => `status${flags} shows who can take over`;
  const after = await administer<{ leaderId: string; term: number }>(cluster, {
    path: '/admin/transfer',
    body,
    options,
    remedy,
  });
  if (after === null) return;
  const { leaderId, term } = after;
  output.json({ leaderId, term });
  output.text(`${leaderId} leads, in term ${term}`);
  output.next(`rxraft status${flags}`);
}

/** What came of a snapshot at one address. */
type Snapshot =
  | { readonly url: string; readonly id: string; readonly snapshotIndex: number; readonly firstIndex: number }
  | { readonly url: string; readonly error: string };

/** `rxraft snapshot`: each node takes one, in turn, and drops the log before it. Fails if one can't. */
export async function snapshot({ urls, flags, output }: Cluster, options: WaitOptions): Promise<void> {
  const snapshots: Snapshot[] = [];
  for (const url of urls) {
    const taken = await withProgress(output, `${url} takes a snapshot`, snapshotAt(url, options));
    snapshots.push(taken);
    if ('error' in taken) output.fail(taken.error);
    else
      output.text(
        `${taken.id}: snapshot through ${taken.snapshotIndex}, the log begins at ${taken.firstIndex}`,
      );
  }
  output.json({ snapshots });
  output.next(`rxraft status${flags}`);
}

/** What an answer to an operator says, or `null` after having said what went wrong. */
export async function administer<T>(
  cluster: Cluster,
  { path, body, options, remedy }: Work,
): Promise<T | null> {
  const answer = await answerOf(cluster, post(path, body, options), remedy);
  return answer === null ? null : (JSON.parse(answer.body.toString('utf8')) as T);
}

async function snapshotAt(url: string, options: WaitOptions): Promise<Snapshot> {
  try {
    const answer = await askAny([url], post('/admin/snapshot', {}, options));
    if (answer.status !== 200) {
      const { code, message } = errorIn(answer);
      return { url, error: `${url}: ${code}: ${message}` };
    }
    const { id, snapshotIndex, firstIndex } = JSON.parse(answer.body.toString('utf8'));
    return { url, id, snapshotIndex, firstIndex };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { url, error: error.message };
  }
}

function post(path: string, body: object, options: WaitOptions): Ask {
  return {
    method: 'POST',
    path,
    body: Buffer.from(JSON.stringify(body)),
    headers: { 'content-type': 'application/json' },
    ...waitOf(options),
  };
}
