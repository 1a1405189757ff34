import { describe, expect, it } from 'vitest';
import { type Input, index, type Member, type MemberChange, step } from '../../../src/core/index.ts';
import { establishedLeader, messagesOf, n4, node, run } from './builders.ts';
import { change } from './builders-membership.ts';

const member: Member = { ...n4, url: 'ws://n4.test:7100' };
const adding = (part: object): unknown => ({ type: 'add', member: { ...member, ...part }, role: 'voter' });
const moving = (url: unknown): unknown => ({ type: 'move', id: 'n2', url });
const holes: unknown[] = [];
holes.length = 2;

/** What a node answers; the rest of it stays as it was, whether it leads or not. */
function answerOf(input: Input): unknown {
  const answers = [establishedLeader(), node()].map((state) => {
    const { state: after, outputs } = step(state, input);
    expect(after).toEqual(state);
    return outputs;
  });
  expect(answers[1]).toEqual(answers[0]);
  return answers[0];
}

function refusal(said: string): unknown {
  const reason = { type: 'invalid', detail: expect.stringContaining(said) };
  return [{ type: 'adminRes', id: 1, result: { type: 'refused', reason } }];
}

describe('a change of members that no cluster can carry out', () => {
  it.each<[string, unknown, string]>([
    ['none', [], 'there is no change'],
    ['no list', { length: 1 }, 'expected a list'],
    [
      'more than 256',
      Array.from({ length: 257 }, () => moving('ws://n2:1')),
      '257 changes are more than the 256',
    ],
    ['holes', holes, 'expected one of add, remove, promote, demote, move'],
    ['another kind', [{ type: 'rename', id: 'n2' }], 'a change is "rename", expected one of'],
    ['no member', [{ type: 'add', role: 'voter' }], 'the node name of type undefined'],
    ['no name', [adding({ id: '' })], 'the node name "" is not 1 to 64 of'],
    ['a name with a slash', [adding({ id: 'eu/db-4' })], 'the node name "eu/db-4" is not'],
    ['a long name', [adding({ id: 'n'.repeat(65) })], 'is not 1 to 64 of'],
    ['a very long name, cut off', [adding({ id: 'n'.repeat(1e6) })], `"${'n'.repeat(80)}…"`],
    ['no store', [adding({ storeId: undefined })], 'storeId is ""'],
    ['a store with a blank', [adding({ storeId: 's 4' })], 'storeId is "s 4"'],
    ['a long store', [adding({ storeId: 's'.repeat(129) })], 'expected 1 to 128 printable ASCII'],
    ['no role', [{ type: 'add', member }], 'role is "", expected voter or learner'],
    ['another role', [{ type: 'add', member, role: 'witness' }], 'role is "witness"'],
    ['a URL with a fragment', [adding({ url: 'ws://n4.test:7100#x' })], 'url is "ws://n4.test:7100#x"'],
    ['a URL of the web', [adding({ url: 'http://n4.test' })], 'url is "http://n4.test"'],
    ['a long URL', [adding({ url: `ws://${'n'.repeat(508)}` })], 'at most 512 characters'],
    ['a URL that is none', [adding({ url: 4 })], 'url is 4'],
    ['a move to a URL with blanks', [moving('ws://n 2')], 'url is "ws://n 2"'],
    ['a move of nobody', [{ type: 'move', id: '', url: 'ws://n2:1' }], 'no member is called ""'],
    ['the removal of what can be no name', [{ type: 'remove', id: 'n 2' }], 'no member is called "n 2"'],
    ['the demotion of a number', [{ type: 'demote', id: 2 }], 'no member is called 2'],
    ['the promotion of a long name', [{ type: 'promote', id: 'n'.repeat(513) }], 'no member is called "nnn'],
    ['a bad one behind a good one', [{ type: 'remove', id: 'n2' }, adding({ id: 'é' })], 'the node name "é"'],
  ])('is refused, and changes nothing: %s', (_what, changes, said) => {
    const answer = answerOf({ type: 'changeMembers', id: 1, changes: changes as MemberChange[] });

    expect(answer).toEqual(refusal(said));
  });

  it.each([-1, 0.5, Number.NaN, '1', null])('is refused where its expectedIndex is %s', (expectedIndex) => {
    const asked = { ...change(1, { type: 'remove', id: 'n2' }), expectedIndex } as Input;

    expect(answerOf(asked)).toEqual(refusal('expectedIndex is'));
  });
});

describe('a change of members at the limits', () => {
  it.each<[string, Member]>([
    ['the longest name', { ...member, id: 'n'.repeat(64) }],
    ['the longest store', { ...member, storeId: '~'.repeat(128) }],
    ['the longest URL', { ...member, url: `wss://${'n'.repeat(506)}` }],
    ['no URL, where cores are driven without addresses', { ...member, url: '' }],
  ])('is carried out: %s', (_what, joining) => {
    const { state, outputs } = run(
      establishedLeader(),
      change(1, { type: 'add', member: joining, role: 'learner' }),
    );

    expect(state.configurations.at(-1)?.configuration.learners).toEqual([joining]);
    expect(messagesOf(outputs)).not.toEqual([]);
  });

  it('is carried out: 256 changes', () => {
    const moves = Array.from({ length: 256 }, (_, at) => moving(`ws://n2.test:${at}`) as MemberChange);

    const { state } = run(establishedLeader(), change(1, ...moves));

    expect(state.configurations.at(-1)).toMatchObject({ index: index(2) });
  });
});

describe('a transfer to what is no member’s name', () => {
  it.each<[string, unknown, string]>([
    ['none', '', 'no member is called ""'],
    ['one with a blank', 'n 2', 'no member is called "n 2"'],
    ['one that is too long', 'n'.repeat(513), 'no member is called "nnn'],
    ['a number', 2, 'no member is called 2'],
    ['null', null, 'no member is called of type object'],
  ])('is refused, and changes nothing: %s', (_what, to, said) => {
    const answer = answerOf({ type: 'transferLeadership', id: 1, to: to as string });

    expect(answer).toEqual(refusal(said));
  });
});
