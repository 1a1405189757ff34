import { describe, expect, it } from 'vitest';
import { index, type Member } from '../../../src/core/index.ts';
import type { MembershipChange } from '../../../src/streams/raft-node.ts';
import { checkMade } from '../../../src/testing/simulator/made-changes.ts';

const at = (id: string, more: Partial<Member> = {}): Member => ({
  id,
  storeId: `s-${id}`,
  url: `ws://${id}`,
  ...more,
});

/** Whether a change counts as made, if this is the only configuration that was committed since. */
function isMade(
  changes: readonly MembershipChange[],
  committed: { readonly voters?: Member[]; readonly votersOutgoing?: Member[]; readonly learners?: Member[] },
): boolean {
  const configuration = { voters: [at('n1')], votersOutgoing: [], learners: [], ...committed };
  try {
    checkMade(changes, [{ index: index(5), configuration }]);
    return true;
  } catch {
    return false;
  }
}

describe('a change that is answered as committed', () => {
  it.each<[MembershipChange, Parameters<typeof isMade>[1], Parameters<typeof isMade>[1]]>([
    [
      { type: 'add', id: 'n4', url: 'ws://n4', storeId: 's-n4' },
      { learners: [at('n4')] },
      { learners: [at('n4', { storeId: 'lost' })] },
    ],
    [{ type: 'remove', id: 'n4' }, {}, { learners: [at('n4')] }],
    [{ type: 'promote', id: 'n4' }, { voters: [at('n4')] }, { learners: [at('n4')] }],
    [{ type: 'demote', id: 'n4' }, { learners: [at('n4')] }, { learners: [at('n4', { willVote: true })] }],
    [
      { type: 'move', id: 'n1', url: 'ws://b' },
      { voters: [at('n1', { url: 'ws://b' })] },
      { voters: [at('n1')] },
    ],
  ])('is in a committed configuration: %o', (change, made, notMade) => {
    expect([isMade([change], made), isMade([change], notMade)]).toEqual([true, false]);
  });

  it('is there as a whole, and not in a joint configuration', () => {
    const both = [
      { type: 'promote', id: 'n4' },
      { type: 'demote', id: 'n1' },
    ] as const;
    const done = { voters: [at('n4')], learners: [at('n1')] };

    expect(isMade(both, done)).toBe(true);
    expect(isMade(both, { voters: [at('n4'), at('n1')] })).toBe(false);
    expect(isMade(both, { ...done, votersOutgoing: [at('n1')] })).toBe(false);
  });
});
