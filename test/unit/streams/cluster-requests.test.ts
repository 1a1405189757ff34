import { describe, expect, it } from 'vitest';
import { all, failureOf, startedCluster } from './words.ts';

describe('three nodes', () => {
  it('take writes and linearizable reads on any of them', async () => {
    const { cluster } = await startedCluster();

    for (const node of cluster.nodes) await cluster.settle(node.write(`by ${node.id}`));

    for (const node of cluster.nodes) {
      const { value } = await cluster.settle(node.read(all));
      expect(value).toEqual(['by n1', 'by n2', 'by n3']);
    }
    await cluster.close();
  });
});
