import type { StatusBody } from '../http/status-body.ts';
import { askStatus, failSilent } from './ask-status.ts';
import type { Cluster } from './cluster.ts';
import { paint, type Style } from './output.ts';
import { type ClusterStatus, clusterStatus, type StatusRow } from './status-rows.ts';
import { statusTable } from './status-table.ts';

/** `rxraft status`: asks every address at once, and shows the cluster as one table. Fails if none answers. */
export async function status({ urls, flags, output }: Cluster): Promise<void> {
  const replies = await askStatus(urls, output);
  const answers = replies.flatMap((reply) => reply.status ?? []);
  const silent = replies.filter((reply) => reply.error !== null);
  const together = clusterStatus(answers);
  output.json({ summary: together.summary, level: together.level, members: together.rows, nodes: replies });
  if (answers.length === 0) return failSilent(replies, output);
  show(together, output.text);
  for (const line of explained(answers)) output.text(line);
  for (const { error } of silent) output.say(`no answer: ${error}`);
  for (const warning of mixed(answers)) output.say(`warning: ${warning}`);
  output.next(adviceFor(together, { urls, flags }));
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

/** What the nodes say is the matter, each thing once. */
function explained(answers: readonly StatusBody[]): readonly string[] {
  return [...new Set(answers.flatMap(({ explain }) => explain.map(({ text }) => text)))];
}

/** What to do next, as a command or in words. */
export function adviceFor(
  { rows, level, refused }: ClusterStatus,
  { urls, flags }: Pick<Cluster, 'urls' | 'flags'>,
): string {
  if (level === 'healthy') return `rxraft watch${flags} shows what is committed`;
  if (refused !== null)
    return `do what is said above of ${refused}; rxraft status --urls with the addresses of the others shows what they say`;
  const lost = rows.find(({ role, isVoter }) => role === 'outside' && isVoter);
  if (lost !== undefined && level === 'degraded') {
    const { id } = lost;
    return `start ${id} with the data it had; if they are lost, rxraft remove ${id}${flags}, then start ${id} with --join ${urls[0]}`;
  }
  const reach = `see that the others reach what runs (rxraft members${flags} has the URLs)`;
  return `start what is missing, with the options and the data it had; ${reach}; then rxraft status${flags} again`;
}
