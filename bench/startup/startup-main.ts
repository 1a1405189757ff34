/** The process of a node that starts on a store that is there, alone in its cluster. */
import { register } from 'node:module';
import { benchMachine } from '../embedded/bench-machine.ts';
import { firstOrder, serveOrders } from '../harness/serve-orders.ts';
import { until } from '../harness/until.ts';
import { keysRead } from './counted-lmdb.ts';

/** What a start came to. */
export interface StartFigures {
  /** From the call of `raftNode` to the moment when it leads. */
  readonly ms: number;
  readonly keysRead: number;
  readonly lastIndex: number;
}

/** What the process can be told to do. */
export interface StartOrders {
  start(): Promise<StartFigures>;
}

const { path } = await firstOrder<{ readonly path: string }>();
register('./lmdb-hooks.js', import.meta.url);
const [{ raftNode }, { lmdbStorage }] = await Promise.all([import('rxraft'), import('rxraft/storage')]);
serveOrders<StartOrders>({ start });

async function start(): Promise<StartFigures> {
  const startedAt = performance.now();
  const node = await raftNode({
    id: 'n1',
    machine: benchMachine(),
    storage: lmdbStorage({ path }),
    snapshotEntries: 1_000_000_000, // So that the log is as long the next time.
    snapshotBytes: 2 ** 40,
  });
  await until('it leads', () => node.status().role === 'leader', { pollMs: 1 });
  const ms = performance.now() - startedAt;
  const { lastIndex } = node.status();
  const figures = { ms, keysRead: keysRead(), lastIndex };
  await node.close({ handsOver: false });
  return figures;
}
