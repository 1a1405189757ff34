import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchedNode } from './launch-config.ts';

/**
 * Why these nodes can't be one cluster: some are new, and the others have a cluster in their stores that does not know
 * them, so nobody would let them in. `null` if nothing speaks against it, or a store can't be read, which its node will say.
 */
export async function refusalOfNewNodes(nodes: readonly LaunchedNode[]): Promise<string | null> {
  const old = nodes.filter(hasStore);
  if (old.length === 0 || old.length === nodes.length) return null;
  const stored = await firstMembersOf(old);
  if (stored === null) return null;
  const strangers = nodes.filter((node) => !hasStore(node) && !stored.includes(node.id));
  const [first] = strangers;
  if (first === undefined) return null;
  const names = strangers.map(({ id }) => id).join(', ');
  return (
    `${names} can't be started with the others: their stores hold a cluster of ${stored.join(', ')}. Nothing was started. ` +
    `Start it with --nodes ${nodes.length - strangers.length}, and take another node in with npx rxraft serve --id ${first.id} --data ${first.data} ` +
    `--listen ${first.listen} --http ${first.http} --join ${old[0]?.url}; or begin anew with --fresh, which deletes all data there.`
  );
}

function hasStore({ data }: LaunchedNode): boolean {
  return existsSync(join(data, 'data.mdb'));
}

/** The members by the first store that belongs to a cluster. */
async function firstMembersOf(nodes: readonly LaunchedNode[]): Promise<readonly string[] | null> {
  for (const node of nodes) {
    const members = await membersIn(node);
    if (members !== null) return members;
  }
  return null;
}

async function membersIn({ id, data }: LaunchedNode): Promise<readonly string[] | null> {
  const { lmdbStorage } = await import('rxraft/storage'); // Only where it is wanted: most starts need no look.
  const storage = lmdbStorage({ path: data, nodeId: id });
  try {
    const { founding, configurations } = await storage.open();
    const latest = configurations.at(-1)?.configuration ?? founding?.configuration;
    if (founding === null || latest === undefined) return null;
    const { voters, votersOutgoing, learners } = latest;
    return [...new Set([...voters, ...votersOutgoing, ...learners].map((member) => member.id))].sort();
  } catch {
    return null;
  } finally {
    await storage.close().catch(() => undefined);
  }
}
