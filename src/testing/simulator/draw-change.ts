import type { Configuration, Member, NodeId } from '../../core/index.ts';
import { type Dice, shuffled } from '../dice.ts';
import { otherUrl } from './addresses.ts';
import type { ChangeKind } from './change-counts.ts';

/** What an operator may change. */
export interface Scene {
  /** Not a joint one. */
  readonly configuration: Configuration;
  /** Nodes that are no members. */
  readonly strangers: readonly NodeId[];
  /** Nobody is removed or demoted if fewer voters were left; learners that will vote are as good where voters lack. */
  readonly votersMin: number;
}

/** What is done with one node; where a new one has its store is not known yet. */
export type Part =
  | { readonly type: 'add'; readonly id: NodeId; readonly role: 'voter' | 'learner' }
  | { readonly type: 'remove' | 'promote' | 'demote'; readonly id: NodeId }
  | { readonly type: 'move'; readonly id: NodeId; readonly url: string };

type Type = Part['type'];

/** Kinds of changes, each as often as it comes beside the others. Those that seldom can be made come first where they can. */
const rates: readonly ChangeKind[] = [
  ...(['add', 'add', 'add', 'remove', 'replace', 'move', 'move', 'two', 'two'] as const),
  ...Array<ChangeKind>(8).fill('promote'),
  ...Array<ChangeKind>(8).fill('demote'),
];
const types: readonly Type[] = ['add', 'remove', 'promote', 'demote', 'move'];

/** Draws one change of the members, of one or two of them; `null` if none can be made. */
export function drawChange(scene: Scene, dice: Dice): readonly Part[] | null {
  for (const kind of shuffled(rates, dice)) {
    const parts = partsOf(kind, scene, dice);
    if (parts !== null) return parts;
  }
  return null;
}

/** A change in words. */
export function inWords(parts: readonly Part[]): string {
  const words = parts.map(partInWords).join(' and ');
  return parts.length === 1 ? words : `${words}, in one change`;
}

function partsOf(kind: ChangeKind, scene: Scene, dice: Dice): readonly Part[] | null {
  if (kind === 'two') return two(scene, dice);
  if (kind === 'replace') return replacement(scene, dice);
  const part = partOf(kind, scene, dice);
  return part && [part];
}

/** The new one is a learner first, and promoted when it has caught up: until then there is a voter less. */
function replacement(scene: Scene, dice: Dice): readonly Part[] | null {
  const { configuration, strangers, votersMin } = scene;
  const { voters, learners } = configuration;
  const leaving = voters.length >= Math.max(2, votersMin) ? [...voters, ...learners] : learners;
  if (leaving.length === 0 || strangers.length === 0) return null;
  const { id, willVote } = dice.pick(leaving);
  const role = willVote || voters.some((voter) => voter.id === id) ? 'voter' : 'learner';
  return [
    { type: 'remove', id },
    { type: 'add', id: dice.pick(strangers), role },
  ];
}

/** Changes of two members: the second as if the first were made. */
function two(scene: Scene, dice: Dice): readonly Part[] | null {
  const [first] = firstOf(types, scene, dice);
  if (first === undefined) return null;
  const [second] = firstOf(types, after(scene, first), dice, first.id);
  return second === undefined ? null : [first, second];
}

function firstOf(all: readonly Type[], scene: Scene, dice: Dice, except?: NodeId): readonly Part[] {
  for (const type of shuffled(all, dice)) {
    const part = partOf(type, scene, dice, except);
    if (part !== null) return [part];
  }
  return [];
}

function partOf(type: Type, scene: Scene, dice: Dice, except?: NodeId): Part | null {
  const nodes = candidatesOf(type, scene).filter(({ id }) => id !== except);
  if (nodes.length === 0) return null;
  const { id, url } = dice.pick(nodes);
  if (type === 'add') return { type, id, role: dice.pick(['voter', 'voter', 'learner'] as const) };
  return type === 'move' ? { type, id, url: otherUrl(id, url, dice) } : { type, id };
}

type Candidate = Pick<Member, 'id' | 'url'>;

function candidatesOf(type: Type, { configuration, strangers, votersMin }: Scene): readonly Candidate[] {
  const { voters, learners } = configuration;
  const spared = voters.length > votersMin ? voters : [];
  const waiting = learners.filter(({ willVote }) => willVote === true);
  const isNeeded = voters.length + waiting.length <= votersMin;
  switch (type) {
    case 'add':
      return strangers.map((id) => ({ id, url: '' }));
    case 'remove':
      return [...spared, ...learners.filter(({ willVote }) => !isNeeded || willVote !== true)];
    case 'promote':
      return learners.filter(({ willVote }) => willVote !== true); // The leader sees to the others.
    case 'demote':
      return spared;
    case 'move':
      return [...voters, ...learners];
  }
}

/** As far as the voters go, and who is a stranger. */
function after(scene: Scene, { type, id }: Part): Scene {
  const { voters, learners } = scene.configuration;
  const others = (members: readonly Member[]) => members.filter((member) => member.id !== id);
  const promoted = type === 'promote' ? learners.filter((member) => member.id === id) : [];
  const isVoterStill = type !== 'remove' && type !== 'demote';
  return {
    ...scene,
    configuration: {
      voters: [...(isVoterStill ? voters : others(voters)), ...promoted],
      votersOutgoing: [],
      learners: others(learners),
    },
    strangers: scene.strangers.filter((stranger) => stranger !== id),
  };
}

function partInWords(part: Part): string {
  const { type, id } = part;
  switch (type) {
    case 'add':
      return `${id} is added to the cluster as a ${part.role}`;
    case 'remove':
      return `${id} is removed from the cluster`;
    case 'promote':
      return `${id} is made a voter`;
    case 'demote':
      return `${id} is made a learner`;
    case 'move':
      return `${id} is moved to ${part.url}`;
  }
}
