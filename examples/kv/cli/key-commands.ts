import { toJsonBytes } from '../json-bytes.ts';
import { toPercent } from '../percent.ts';
import type { Answer, Ask } from './client.ts';
import { answerOf, type Cluster, waitOf } from './cluster.ts';

/** How a command waits and reads. */
export interface KeyOptions {
  readonly timeoutMs?: string;
  readonly consistency?: string;
  readonly index?: string;
}

/** `rxraft put KEY VALUE` */
export async function put(cluster: Cluster, key: string, value: string, options: KeyOptions): Promise<void> {
  const body = Buffer.from(value, 'utf8');
  const answer = await answerFor(cluster, 'PUT', key, options, body);
  if (answer === null) return;
  const { index, term } = JSON.parse(answer.body.toString('utf8'));
  cluster.output.json({ key, index, term });
  cluster.output.text(`committed at index ${index} in term ${term}`);
  cluster.output.next(`rxraft get ${quoted(key)}${cluster.flags}`);
}

/** `rxraft get KEY` */
export async function get(cluster: Cluster, key: string, options: KeyOptions): Promise<void> {
  const answer = await answerFor(cluster, 'GET', key, options);
  if (answer === null) return;
  const { output } = cluster;
  const index = Number(answer.headers['rxraft-index']);
  output.json({ key, value: toJsonBytes(answer.body), index });
  if (!output.isJson) {
    output.bytes(answer.body);
    if (process.stdout.isTTY) output.text('');
  }
  output.next(`rxraft watch --from ${index + 1}${cluster.flags} shows what changes from here on`);
}

/** `rxraft delete KEY` */
export async function remove(cluster: Cluster, key: string, options: KeyOptions): Promise<void> {
  const answer = await answerFor(cluster, 'DELETE', key, options);
  if (answer === null) return;
  const { existed, index, term } = JSON.parse(answer.body.toString('utf8'));
  cluster.output.json({ key, existed, index, term });
  cluster.output.text(
    `${existed ? 'deleted' : 'was not there'}, committed at index ${index} in term ${term}`,
  );
  cluster.output.next(`rxraft put ${quoted(key)} VALUE${cluster.flags} sets it again`);
}

/** The answer, or `null` after having said what went wrong. */
function answerFor(
  cluster: Cluster,
  method: Ask['method'],
  key: string,
  options: KeyOptions,
  body?: Uint8Array,
): Promise<Answer | null> {
  const path = `/kv/${toPercent(Buffer.from(key, 'utf8'))}${queryOf(options)}`;
  const request = { method, path, ...waitOf(options), ...(body && { body }) };
  return answerOf(cluster, request, (status) =>
    status === 404 ? `put ${quoted(key)} VALUE${cluster.flags}` : `status${cluster.flags}`,
  );
}

function queryOf({ consistency, index }: KeyOptions): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ consistency, index })) {
    if (value !== undefined) query.set(name, value);
  }
  return query.size === 0 ? '' : `?${query}`;
}

function quoted(key: string): string {
  return /^[A-Za-z0-9._/:-]+$/.test(key) ? key : `'${key.replaceAll("'", "'\\''")}'`;
}
