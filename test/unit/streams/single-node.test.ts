import { raftNode, reducer } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';

describe('a cluster of one', () => {
  it('commits, applies and reads', async () => {
    const machine = reducer(0, (sum: number, add: number) => [sum + add, sum + add] as const);
    await using node = await raftNode({ id: 'n1', machine, storage: memoryStorage() });

    const first = await node.write(5);
    const second = await node.write(7);
    const { value, index } = await node.read((sum) => sum);

    expect([first.result, second.result, value]).toEqual([5, 12, 12]);
    expect(second.index).toBe(first.index + 1);
    expect(index).toBe(second.index);
  });
});
