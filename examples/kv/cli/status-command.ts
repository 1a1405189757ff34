import type { StatusBody } from '../http/status-body.ts';
import { type Answer, ask, errorIn } from './client.ts';
import type { Cluster } from './key-commands.ts';
import { paint, type Style } from './output.ts';
import { type ClusterStatus, clusterStatus, type StatusRow } from './status-rows.ts';
import { statusTable } from './status-table.ts';

/** What one address answered. */
interface Reply {
  readonly url: string;
  readonly status: StatusBody | null;
  /** Why there is no status; `null` if there is one. */
  readonly error: string | null;
}

const answerMsMax = 2_000;

/** `rxraft status`: asks every address at once, and shows the cluster as one table. Fails if none answers. */
export async function status({ urls, flags, output }: Cluster): Promise<void> {
  const replies = await Promise.all(urls.map(statusFrom));
  const answers = replies.flatMap((reply) => reply.status ?? []);
  const silent = replies.filter((reply) => reply.error !== null);
  const together = clusterStatus(answers);
  output.json({ summary: together.summary, level: together.level, members: together.rows, nodes: replies });
  if (answers.length === 0) {
    output.fail(`nobody answers:\n       ${silent.map(({ error }) => error).join('\n       ')}`);
    output.next('npm start starts a cluster; --urls says where one is');
    return;
  }
  show(together, output.text);
  for (const { error } of silent) output.say(`no answer: ${error}`);
  for (const warning of mixed(answers)) output.say(`warning: ${warning}`);
  output.next(adviceFor(together, flags));
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

function show({ rows, summary, level }: ClusterStatus, print: (line: string) => void): void {
  const [title, ...lines] = statusTable(rows);
  print(paint(process.stdout, 'bold', title ?? ''));
  for (const [at, line] of lines.entries()) {
    const style = styleOf(rows[at]);
    print(style === null ? line : paint(process.stdout, style, line));
  }
  print(paint(process.stdout, styles[level], summary));
}

const styles: Readonly<Record<ClusterStatus['level'], Style>> = {
  healthy: 'green',
  degraded: 'yellow',
  stopped: 'red',
};

function styleOf(row: StatusRow | undefined): Style | null {
  if (row?.role === 'leader') return 'green';
  return row?.role === 'down' ? 'red' : null;
}

/** Nodes of several clusters in one list are a mistake that a table by itself would hide. */
function mixed(answers: readonly StatusBody[]): readonly string[] {
  const clusters = new Set(answers.flatMap(({ clusterId }) => clusterId ?? []));
  return clusters.size > 1
    ? [`these addresses belong to ${clusters.size} clusters: ${[...clusters].join(', ')}`]
    : [];
}

function adviceFor({ level }: ClusterStatus, flags: string): string {
  if (level === 'healthy') return `rxraft watch${flags} shows what is committed`;
  return `start what is missing, with the options and the data it had; then rxraft status${flags} again`;
}
