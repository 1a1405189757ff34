import type { MembershipChange } from '../../streams/raft-node.ts';

/** What an operator asks for in one change. */
export type ChangeKind =
  | 'add'
  | 'remove'
  | 'promote'
  | 'demote'
  | 'move'
  /** A member is removed, and another node or store added. */
  | 'replace'
  /** Any other two members: counted here, and not as what is done with each of them. */
  | 'two';

/** All kinds, in the order in which they are told. */
export const changeKinds: readonly ChangeKind[] = [
  'add',
  'remove',
  'promote',
  'demote',
  'move',
  'replace',
  'two',
];

/** How often changes of a kind were asked for, and answered as committed. */
export interface ChangeCount {
  readonly asked: number;
  readonly committed: number;
}

/** How often changes of each kind were asked for, and answered as committed. */
export type ChangeCounts = Record<ChangeKind, ChangeCount>;

export function noChanges(): ChangeCounts {
  const none = changeKinds.map((kind) => [kind, { asked: 0, committed: 0 }] as const);
  return Object.fromEntries(none) as ChangeCounts;
}

/** Adds the counts of a run, or of one change, to a sum. */
export function addChanges(sum: ChangeCounts, more: Partial<ChangeCounts>): void {
  for (const [kind, { asked, committed }] of Object.entries(more) as [ChangeKind, ChangeCount][]) {
    const before = sum[kind];
    sum[kind] = { asked: before.asked + asked, committed: before.committed + committed };
  }
}

/** Of which kind a list of changes is that are made as one. */
export function kindOf(changes: readonly MembershipChange[]): ChangeKind {
  const [first, ...others] = changes.map(({ type }) => type);
  if (first === undefined) throw new RangeError('there is no change in the list of changes');
  if (others.length === 0) return first;
  const isReplacement = [first, ...others].sort().join() === 'add,remove';
  return isReplacement ? 'replace' : 'two';
}
