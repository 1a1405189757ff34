import { OrderedProcess } from '../harness/ordered-process.ts';
import { until } from '../harness/until.ts';
import type { BenchNodeOptions, Orders } from './orders.ts';

/** A process with a node in it, from this side. */
export class NodeProcess extends OrderedProcess<Orders, BenchNodeOptions> {
  constructor(options: BenchNodeOptions) {
    super(options.id, new URL('bench-node.js', import.meta.url), options);
  }

  /** Closes its node, and ends it. */
  async stop(): Promise<void> {
    await this.do('close');
    await this.kill();
  }
}

/** A process with a node in it, as far as {@link leads} has to do with it. */
type Led = Pick<OrderedProcess<Pick<Orders, 'status' | 'transfer'>, never>, 'id' | 'do'>;

/** Waits until the first of them leads and all have applied the same; hands leadership to it if need be. */
export async function leads(first: Led, all: readonly Led[]): Promise<void> {
  await until(`${first.id} leads`, async () => {
    const statuses = await Promise.all(all.map((node) => node.do('status')));
    const at = statuses.findIndex(({ role }) => role === 'leader');
    const isEven = new Set(statuses.map(({ lastApplied }) => lastApplied)).size === 1;
    if (at < 0 || !isEven || statuses.some(({ leaderId }) => leaderId !== statuses[at]?.id)) return false;
    if (all[at] === first) return true;
    await all[at]?.do('transfer', first.id);
    return false;
  });
}
