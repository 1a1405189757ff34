import { describe, expect, it } from 'vitest';
import { addChanges, changeKinds, kindOf, noChanges } from '../../../src/testing/simulator/change-counts.ts';

const url = 'ws://n4.test:7100';

describe('a change of members', () => {
  it('is of the kind of what is done with one, or with two', () => {
    expect(kindOf([{ type: 'move', id: 'n1', url }])).toBe('move');
    expect(
      kindOf([
        { type: 'add', id: 'n4', url },
        { type: 'remove', id: 'n1' },
      ]),
    ).toBe('replace');
    expect(
      kindOf([
        { type: 'promote', id: 'n4' },
        { type: 'demote', id: 'n1' },
      ]),
    ).toBe('two');
  });

  it('is counted when it was asked, and when it is committed', () => {
    const sum = noChanges();

    addChanges(sum, { demote: { asked: 1, committed: 0 } });
    addChanges(sum, { demote: { asked: 2, committed: 1 }, two: { asked: 1, committed: 1 } });

    expect(Object.keys(sum)).toEqual([...changeKinds]);
    expect(sum).toMatchObject({ demote: { asked: 3, committed: 1 }, two: { asked: 1, committed: 1 } });
    expect(sum.move).toEqual({ asked: 0, committed: 0 });
  });
});
