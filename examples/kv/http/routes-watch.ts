import type { Hono } from 'hono';
import { type Logger, RaftError } from 'rxraft';
import type { KvNode } from '../kv-machine.ts';
import { type KvContext, type KvServices, nodeOf, queryOf } from './context.ts';
import { answerTo, KvError, malformed } from './errors.ts';
import { eventStream } from './event-stream.ts';
import type { Bindings } from './target.ts';
import { watchEvent } from './watch-event.ts';

/** `/watch`: what is committed, as it is committed, from any index that the log still has. */
export function watchRoutes(app: Hono<{ Bindings: Bindings }>, services: KvServices): void {
  const { watchersMax, heartbeatMs } = services.limits;
  const watchers = new Set<AbortController>();
  services.closing.addEventListener('abort', () => {
    for (const watcher of watchers) watcher.abort();
  });

  app.get('/watch', (c) => {
    const node = nodeOf(services);
    const prefix = queryOf(c).bytes('prefix') ?? new Uint8Array(0);
    const from = Math.max(1, startOf(c) ?? node.status().lastApplied + 1);
    refuseCompacted(node, from);
    c.header('content-type', 'text/event-stream');
    c.header('cache-control', 'no-store');
    c.header('rxraft-index', String(from - 1)); // Whoever has seen through here has missed nothing.
    if (c.req.method === 'HEAD') return c.body(null);
    if (watchers.size >= watchersMax) {
      const message = `${watchers.size} are watching this node, which is as many as may. Watch another one`;
      throw new KvError(429, 'KV_TOO_MANY_WATCHERS', message);
    }

    const watcher = new AbortController();
    watchers.add(watcher);
    const source = events(node, { from, prefix, signal: watcher.signal }, services.logger);
    const onEnd = (): void => {
      watchers.delete(watcher);
      watcher.abort();
    };
    return c.body(eventStream(source, { heartbeatMs, onEnd }));
  });
}

/** Where to begin: after the last event that the client has seen, or at `from`; `undefined` is now. */
function startOf(c: KvContext): number | undefined {
  const seen = c.req.header('last-event-id');
  if (seen === undefined || seen === '') return queryOf(c).integer('from', { min: 0, max: indexMax });
  if (!/^\d{1,15}$/.test(seen))
    throw malformed(`Last-Event-ID is an index, such as 17, not ${JSON.stringify(seen)}`);
  return Number(seen) + 1;
}

const indexMax = 999_999_999_999_999;

function refuseCompacted(node: KvNode, from: number): void {
  if (from < node.status().firstIndex) throw compacted(node);
}

/** To ask again for the same is in vain: what was compacted can't be told any more. */
function compacted(node: KvNode): KvError {
  const { firstIndex, snapshotIndex } = node.status();
  const message = `the log begins at ${firstIndex}: read the keys with /range, then watch from the index after that answer's`;
  return new KvError(410, 'RAFT_COMPACTED', message, { snapshotIndex });
}

/** What a watcher is told, and for how long. */
interface Watch {
  readonly from: number;
  readonly prefix: Uint8Array;
  readonly signal: AbortSignal;
}

/** The events in portions, as they come from the log. An error is the last event. */
async function* events(
  node: KvNode,
  { from, prefix, signal }: Watch,
  logger: Logger,
): AsyncGenerator<string> {
  yield `retry: 1000\n: from index ${from}\n\n`;
  try {
    for await (const commits of node.commits({ from, signal })) {
      const portion = commits.map((commit) => watchEvent(commit, prefix) ?? '').join('');
      if (portion !== '') yield portion;
    }
  } catch (error) {
    if (signal.aborted) return;
    const isCompacted = error instanceof RaftError && error.code === 'RAFT_COMPACTED';
    const { status, body } = answerTo(isCompacted ? compacted(node) : error, { isRead: true });
    if (status === 500) logger.error({ err: error }, 'a watch failed');
    yield `event: end\ndata: ${JSON.stringify(body)}\n\n`;
  }
}
