import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { clusterOfTest } from './harness/cluster.ts';
import type { ServerNode } from './harness/server-node.ts';
import { until } from './harness/until.ts';

const killCount = 5;
const retryMs = 5;

/** One client that writes all the time, through one node, and notes when each acknowledged write began and ended. */
class Writer {
  readonly writes: { readonly beganMs: number; readonly endedMs: number; readonly index: number }[] = [];
  private isStopped = false;
  private readonly ended: Promise<void>;

  constructor(node: ServerNode) {
    this.ended = this.work(node);
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return this.ended;
  }

  private async work(node: ServerNode): Promise<void> {
    while (!this.isStopped) {
      const beganMs = performance.now();
      const answer = await node.ask('PUT /kv/pulse', { body: 'beat' }).catch(() => null);
      if (answer?.status === 200) {
        const { index } = answer.json as { index: number };
        this.writes.push({ beganMs, endedMs: performance.now(), index });
      } else await pause(retryMs);
    }
  }
}

describe('a leader that is killed', () => {
  it('is followed by another within a second, in the median of five', async () => {
    const cluster = clusterOfTest();
    const nodes = await cluster.found(['n1', 'n2', 'n3']);
    const refusedMs: number[] = [];

    for (let round = 0; round < killCount; round++) {
      const leader = await cluster.leader();
      const survivor = nodes.find((node) => node !== leader) as ServerNode;
      const writer = new Writer(survivor);
      await until('writes go through the survivor', () => writer.writes.length >= 20);
      const killedMs = performance.now();
      leader.signal('SIGKILL');
      const next = await until('a write that began after the kill is acknowledged', () =>
        writer.writes.find(({ beganMs }) => beganMs > killedMs),
      );
      refusedMs.push(Math.round(next.endedMs - killedMs));
      await writer.stop();
      await leader.ended;
      leader.start();
      await cluster.caughtUp(writer.writes.at(-1)?.index ?? 0);
      await leader.ready();
    }

    const medianMs = refusedMs.toSorted((a, b) => a - b)[Math.floor(killCount / 2)];
    console.log(`writes were refused for ${refusedMs.join(', ')} ms; median ${medianMs} ms`);
    expect(medianMs).toBeLessThan(1_000);
  });
});
