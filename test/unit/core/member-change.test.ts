import { describe, expect, it } from 'vitest';
import type { Configuration, MemberChange } from '../../../src/core/index.ts';
import { changed, towards } from '../../../src/core/member-change.ts';
import { n1, n2, n3, n4, threeNodes, votersOf } from './builders.ts';
import { adding } from './builders-membership.ts';

const ready = { isCaughtUp: () => true };
const withLearner: Configuration = { ...threeNodes, learners: [{ ...n4, url: '' }] };

const after = (from: Configuration, ...changes: readonly MemberChange[]) => {
  const change = changed(from, changes, ready);
  if (change.type === 'problem') return change.problem;
  const ids = (members: readonly { readonly id: string }[]) => members.map(({ id }) => id).join(' ');
  return `${ids(change.configuration.voters)} + ${ids(change.configuration.learners)}`;
};

describe('a change of members', () => {
  it.each<[string, Configuration, readonly MemberChange[], string]>([
    ['adds a learner', threeNodes, [adding(n4, 'learner')], 'n1 n2 n3 + n4'],
    ['adds a voter as a learner first', threeNodes, [adding(n4)], 'n1 n2 n3 + n4'],
    ['removes a voter', threeNodes, [{ type: 'remove', id: 'n2' }], 'n1 n3 + '],
    ['promotes', withLearner, [{ type: 'promote', id: 'n4' }], 'n1 n2 n3 n4 + '],
    ['demotes', threeNodes, [{ type: 'demote', id: 'n2' }], 'n1 n3 + n2'],
    [
      'replaces several at once, in order',
      withLearner,
      [
        { type: 'remove', id: 'n1' },
        { type: 'promote', id: 'n4' },
        adding({ id: 'n1', storeId: 'new' }, 'learner'),
      ],
      'n2 n3 n4 + n1',
    ],
    [
      'takes in at most 50',
      threeNodes,
      Array.from({ length: 48 }, (_, at) => adding({ id: `m${at}`, storeId: `s${at}` }, 'learner')),
      '51 members are more than 50',
    ],
    ['knows no stranger', threeNodes, [{ type: 'remove', id: 'n9' }], 'n9 is not a member'],
    ['leaves a voter', votersOf(n1), [{ type: 'remove', id: 'n1' }], 'no voter would be left'],
    ['promotes no voter', threeNodes, [{ type: 'promote', id: 'n1' }], 'n1 is a voter already'],
    ['demotes no learner', withLearner, [{ type: 'demote', id: 'n4' }], 'n4 is a learner already'],
    [
      'refuses a known name on another store',
      threeNodes,
      [adding({ id: 'n3', storeId: 'new' })],
      'n3 is a member already; remove it first if its store is another one',
    ],
  ])('%s', (_what, from, changes, expected) => {
    expect(after(from, ...changes)).toBe(expected);
  });

  it('promotes nobody who has not caught up', () => {
    const change = changed(withLearner, [{ type: 'promote', id: 'n4' }], { isCaughtUp: () => false });

    expect(change).toMatchObject({ type: 'problem' });
  });

  it('goes through a joint configuration if, and only if, the voters change', () => {
    expect(towards(threeNodes, withLearner)).toBe(withLearner);
    expect(towards(threeNodes, votersOf(n1, n2)).votersOutgoing).toBe(threeNodes.voters);
    expect(towards(threeNodes, votersOf(n1, n2, { ...n3, storeId: 'new' })).votersOutgoing).toHaveLength(3);
  });
});
