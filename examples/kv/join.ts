import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'rxraft';
import { ask, errorIn, NoAnswer } from './cli/client.ts';
import type { KvNode } from './kv-machine.ts';

/** How a node comes into a cluster that runs. */
export interface Joining {
  /** Servers of the cluster. */
  readonly urls: readonly string[];
  /** Where its nodes reach this one. */
  readonly url: string;
  readonly isLearner: boolean;
  readonly logger: Logger;
  /** Ends the asking. */
  readonly signal: AbortSignal;
}

/** How long one server may take to answer, in milliseconds. */
const answerMsMax = 10_000;

/** The pause before the cluster is asked again; it doubles. */
const againMsMin = 500;
const againMsMax = 5_000;

/**
 * Asks the cluster to admit this node, again and again until the node has become a part of it. A node whose store
 * belongs to a cluster is, or has been, and asks nothing: who is in the cluster is then up to its members.
 */
export async function joinCluster(node: KvNode, joining: Joining): Promise<void> {
  const { logger, signal } = joining;
  let said: string | null = null;
  for (let againMs = againMsMin; isOutside(node, signal); againMs = Math.min(2 * againMs, againMsMax)) {
    const problem = await problemWith(node, joining);
    if (!isOutside(node, signal)) break;
    if (problem !== said && problem !== null)
      logger.warn({ joining: joining.urls }, `not admitted: ${problem}`);
    if (problem !== said && problem === null) logger.info({}, 'admitted: waiting for the members to call');
    said = problem;
    await pause(againMs, undefined, { signal }).catch(() => undefined);
  }
  if (!signal.aborted) logger.info({ clusterId: node.status().clusterId }, 'this node has joined');
}

function isOutside(node: KvNode, signal: AbortSignal): boolean {
  return !signal.aborted && node.status().clusterId === null;
}

/** Asks one server after the other; gives why none admits this node, or `null` if one does. */
async function problemWith(node: KvNode, { urls, url, isLearner, signal }: Joining): Promise<string | null> {
  const { id, storeId } = node.status();
  const body = Buffer.from(JSON.stringify({ add: { id, url, storeId, learner: isLearner } }));
  const headers = { 'content-type': 'application/json' };
  const problems: string[] = [];
  for (const server of urls) {
    if (signal.aborted) break;
    try {
      // Asking twice does no harm: a member with this store is not added again.
      const request = {
        method: 'POST',
        path: '/admin/members',
        body,
        headers,
        timeoutMs: answerMsMax,
      } as const;
      const answer = await ask(server, request);
      if (answer.status === 200) return null;
      const { code, message, memberUrl } = errorIn(answer);
      const isTaken = memberUrl !== undefined;
      problems.push(`${server}: ${code}: ${message}${isTaken ? remedyFor(id, server) : ''}`);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      problems.push(error.message);
    }
  }
  return problems.join('; ');
}

function remedyFor(id: string, server: string): string {
  return ` If ${id} is to replace a member that has lost its data: rxraft remove ${id} --url ${server}`;
}
