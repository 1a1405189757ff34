import type { Hono } from 'hono';
import type { KvNode } from '../kv-machine.ts';
import { type KvServices, nodeOf } from './context.ts';
import { KvError } from './errors.ts';
import { statusBody } from './status-body.ts';
import type { Bindings } from './target.ts';

/** How long the node's own storage may take to answer before the node does not count as alive. */
const aliveMsMax = 2_000;

/** How long a read may take on a node that is ready: a round to the leader, and what it waits for. */
const readyMsMax = 1_000;

/** A key that is there or not: asking for it takes a read through the whole machine. */
const probe = { type: 'exists', key: Uint8Array.of(0) } as const;

/** `/status`, `/livez` and `/readyz`: the node about itself. */
export function nodeRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  app.get('/status', (c) => c.json(statusBody(nodeOf(services), services)));

  app.get('/livez', async (c) => {
    const node = services.node();
    if (node !== null && !services.closing.aborted) await touchStorage(node);
    return c.json({ alive: true });
  });

  app.get('/readyz', async (c) => {
    const node = nodeOf(services);
    const { leaderId } = node.status();
    if (leaderId === null) throw notReady(['no leader is known', ...whyNoLeader(node)].join('. '));
    await node.read(probe, { timeoutMs: readyMsMax }).catch((error: unknown) => {
      throw notReady(`a read from ${leaderId} got no answer: ${textOf(error)}`);
    });
    return c.json({ ready: true, leaderId });
  });
}

/**
 * Reads what this node has, whoever leads, and without asking anyone: a node cut off from the others is
 * alive. Before the cluster is founded there is nothing to read.
 */
async function touchStorage(node: KvNode): Promise<void> {
  if (node.status().clusterId === null) return;
  await node.read(probe, { consistency: 'stale', timeoutMs: aliveMsMax }).catch((error: unknown) => {
    throw new KvError(503, 'KV_NOT_ALIVE', `the storage of this node does not answer: ${textOf(error)}`);
  });
}

/** In words, as far as the node can tell. */
function whyNoLeader(node: KvNode): readonly string[] {
  return node.explain().flatMap(({ topic, text }) => (topic === 'noLeader' ? [text] : []));
}

function notReady(reason: string): KvError {
  return new KvError(503, 'KV_NOT_READY', reason);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
