import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'rxraft';
import type { MemberAddress } from 'rxraft/transport';
import type { KvNode } from './kv-machine.ts';

/** What the watch works with. */
export interface FoundingWatch {
  /** The declared members, this node included. */
  readonly members: readonly MemberAddress[];
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Milliseconds until it is said again who is missing; they double. Default 3,000, and 60,000 at most. */
  readonly againMs?: number;
}

const againMsMax = 60_000;

/** Says, ever less often, for whom a cluster waits that is not founded yet. Resolves when it is. */
export async function watchFounding(node: KvNode, watch: FoundingWatch): Promise<void> {
  const { members, logger, signal } = watch;
  for (let againMs = watch.againMs ?? 3_000; ; againMs = Math.min(2 * againMs, againMsMax)) {
    await pause(againMs, undefined, { signal, ref: false }).catch(() => undefined);
    const { clusterId, id, links } = node.status();
    if (signal.aborted || clusterId !== null) return;
    const reached = new Set(links.filter((link) => link.isOutgoingOpen).map((link) => link.id));
    const missing = members.filter((member) => member.id !== id && !reached.has(member.id));
    const who = missing.map((member) => `${member.id} at ${member.url}`).join(', ');
    const what =
      missing.length === 0
        ? 'every member is reached, but they have not answered'
        : `no connection to ${who}`;
    logger.warn({ missing: missing.map((member) => member.id) }, `this node is in no cluster yet: ${what}`);
  }
}
