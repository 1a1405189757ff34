import { describe, expect, it } from 'vitest';
import type { Member } from '../../../src/core/index.ts';
import { Dice } from '../../../src/testing/dice.ts';
import { firstUrl } from '../../../src/testing/simulator/addresses.ts';
import { drawChange, inWords, type Part, type Scene } from '../../../src/testing/simulator/draw-change.ts';

function member(id: string): Member {
  return { id, storeId: `store-of-${id}`, url: firstUrl(id) };
}

function scene({
  voters = ['n1', 'n2', 'n3'],
  learners = [],
  strangers = [],
  votersMin = 3,
}: {
  voters?: readonly string[];
  learners?: readonly Member[];
  strangers?: readonly string[];
  votersMin?: number;
}): Scene {
  return {
    configuration: { voters: voters.map(member), votersOutgoing: [], learners },
    strangers,
    votersMin,
  };
}

/** What many dice draw. */
function drawn(from: Scene): readonly (readonly Part[])[] {
  return Array.from({ length: 1000 }, (_, seed) => drawChange(from, new Dice(seed)) ?? []);
}

function kindsOf(changes: readonly (readonly Part[])[]): readonly string[] {
  const kinds = changes.map((parts) => parts.map(({ type }) => type).join('+'));
  return [...new Set(kinds)].sort();
}

/** How many voters are left once this is done, and before a learner that is added is promoted. */
function votersAfter(parts: readonly Part[], { configuration }: Scene): number {
  const isVoter = (id: string) => configuration.voters.some((voter) => voter.id === id);
  const gone = parts.filter(({ type, id }) => (type === 'remove' || type === 'demote') && isVoter(id));
  const come = parts.filter(({ type }) => type === 'promote');
  return configuration.voters.length - gone.length + come.length;
}

describe('an operator of a cluster with voters to spare, a learner and a stranger', () => {
  const whole = scene({ voters: ['n1', 'n2', 'n3', 'n4'], learners: [member('n5')], strangers: ['n6'] });

  it('draws every kind of change, and of two members any two', () => {
    const kinds = kindsOf(drawn(whole));

    expect(kinds).toEqual(
      expect.arrayContaining(['add', 'demote', 'move', 'promote', 'remove', 'remove+add']),
    );
    expect(kinds).toEqual(
      expect.arrayContaining(['promote+demote', 'move+move', 'demote+add', 'move+remove']),
    );
  });

  it('never changes one member twice', () => {
    for (const parts of drawn(whole)) expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
  });

  it('promotes the learner, demotes voters, and adds the stranger', () => {
    for (const { type, id } of drawn(whole).flat()) {
      if (type === 'promote') expect(id).toBe('n5');
      if (type === 'demote') expect(['n1', 'n2', 'n3', 'n4']).toContain(id);
      expect(type === 'add').toBe(id === 'n6');
    }
  });

  it('keeps as many voters as it has to, but for one that a replacement takes the place of', () => {
    for (const parts of drawn(whole)) {
      const isReplacement = parts.some(({ type }) => type === 'add');
      expect(votersAfter(parts, whole)).toBeGreaterThanOrEqual(isReplacement ? 2 : 3);
    }
  });

  it('moves a member to another address of its own', () => {
    for (const part of drawn(whole).flat()) {
      if (part.type !== 'move') continue;
      expect(part.url).not.toBe(firstUrl(part.id));
      expect(part.url).toMatch(new RegExp(`^ws://${part.id}\\.test:\\d+$`));
    }
  });

  it('says what is done', () => {
    expect(inWords([{ type: 'promote', id: 'n5' }])).toBe('n5 is made a voter');
    expect(
      inWords([
        { type: 'demote', id: 'n1' },
        { type: 'move', id: 'n2', url: 'ws://n2.test:7101' },
      ]),
    ).toBe('n1 is made a learner and n2 is moved to ws://n2.test:7101, in one change');
  });
});

describe('an operator of a cluster without voters to spare', () => {
  it('moves them, and neither removes nor demotes them', () => {
    expect(kindsOf(drawn(scene({})))).toEqual(['move', 'move+move']);
  });

  it('demotes one of them with a learner that takes its place', () => {
    const kinds = kindsOf(drawn(scene({ learners: [member('n4')] })));

    expect(kinds).toContain('promote+demote');
    expect(kinds).not.toContain('demote');
    expect(kinds).not.toContain('demote+promote');
  });

  it('neither replaces one nor removes who is to be promoted, while there is a voter less', () => {
    const learner: Member = { ...member('n4'), willVote: true };
    const waiting = scene({ voters: ['n1', 'n2'], learners: [learner], strangers: ['n3'] });

    const parts = drawn(waiting);

    expect(kindsOf(parts)).toContain('remove+add'); // Of the learner.
    expect(kindsOf(parts)).not.toContain('remove');
    for (const part of parts) expect(votersAfter(part, waiting)).toBe(2);
    for (const [first, second] of parts)
      if (first?.type === 'remove') expect(second).toMatchObject({ type: 'add', id: 'n3', role: 'voter' });
  });

  it('never removes the only voter', () => {
    const alone = scene({ voters: ['n1'], strangers: ['n2', 'n3'], votersMin: 1 });

    for (const parts of drawn(alone)) expect(votersAfter(parts, alone)).toBe(1);
  });
});
