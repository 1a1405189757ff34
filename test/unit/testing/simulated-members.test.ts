import { describe, expect, it } from 'vitest';
import { jsonCodec, reducer } from '../../../src/index.ts';
import { type SimulatedNode, simulate, simulateSeeds } from '../../../src/testing/index.ts';
import { firstUrl } from '../../../src/testing/simulator/addresses.ts';
import { changeKinds } from '../../../src/testing/simulator/change-counts.ts';

describe('a cluster whose members change', () => {
  it('commits every kind of change', async () => {
    const { changes, faults, membersChanged } = await simulateSeeds({
      from: 1,
      count: 8,
      steps: 2000,
      faults: ['members', 'kill'],
    });

    for (const kind of changeKinds) {
      const { asked, committed } = changes[kind];
      expect({ [kind]: committed }).not.toEqual({ [kind]: 0 });
      expect(asked).toBeGreaterThanOrEqual(committed);
    }
    const committed = changeKinds.reduce((sum, kind) => sum + changes[kind].committed, 0);
    expect(committed).toBe(membersChanged);
    expect(committed).toBe(faults.members);
  }, 240_000);

  it('reaches members that have moved where they are listed', async () => {
    let moved = 0;
    const check = ({
      nodes,
    }: {
      readonly nodes: readonly SimulatedNode<number, number, number, number>[];
    }) => {
      const leader = nodes.find(({ status }) => status.role === 'leader');
      for (const { id, url } of leader?.status.members ?? []) {
        const link = leader?.status.links.find((each) => each.id === id);
        if (url !== firstUrl(id)) moved += 1;
        if (id !== leader?.id) expect(link).toMatchObject({ url, isOutgoingOpen: true });
      }
    };
    const machine = () =>
      reducer(0, (sum, more: number) => [sum + more, sum], { state: jsonCodec<number>() });

    for (let seed = 1; seed <= 4; seed++) {
      await simulate({
        seed,
        steps: 2000,
        faults: ['members'],
        machine: machine as never,
        workload: () => ({ type: 'write', command: 1 }),
        checks: [check as never],
      });
    }

    expect(moved).toBeGreaterThan(2);
  }, 240_000);
});
