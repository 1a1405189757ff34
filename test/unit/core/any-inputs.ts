import fc from 'fast-check';
import type { Input } from '../../../src/core/index.ts';
import { n2, n3, votersOf } from './builders.ts';

/** Every kind of message. */
export const messageTypes = [
  'appendEntries',
  'appendEntriesReply',
  'installSnapshot',
  'preVote',
  'preVoteReply',
  'requestVote',
  'requestVoteReply',
  'timeoutNow',
] as const;

/** Every kind of input. */
export const inputTypes = [
  'applyRes',
  'campaign',
  'changeMembers',
  'compact',
  'compactLogRes',
  'installSnapshotRes',
  'message',
  'peerDown',
  'peerUp',
  'persistRes',
  'read',
  'readLogRes',
  'readStateMachineRes',
  'sendSnapshotRes',
  'takeSnapshotRes',
  'tick',
  'transferLeadership',
  'write',
] as const;

/** Every field that an input, a message, or a part of one has. */
const fieldNames = [
  'appliedIndex',
  'batches',
  'changes',
  'configuration',
  'count',
  'durableIndex',
  'expectedIndex',
  'from',
  'hintIndex',
  'hintTerm',
  'id',
  'index',
  'isInstalled',
  'isTransfer',
  'keepsPrevious',
  'lastLogIndex',
  'lastLogTerm',
  'leaderCommit',
  'logTimeMs',
  'matchIndex',
  'member',
  'message',
  'now',
  'payload',
  'payloadChecksum',
  'prevLogIndex',
  'prevLogTerm',
  'rejectedIndex',
  'role',
  'round',
  'sent',
  'seq',
  'snapshot',
  'storeId',
  'success',
  'term',
  'to',
  'transferId',
  'url',
  'voteGranted',
] as const;

/** Numbers that are no term, index or sequence, beside some that are. */
const nonsense = fc.oneof(
  fc.constantFrom(
    Number.NaN,
    -1,
    0.5,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    2 ** 53,
    2 ** 52,
    -0,
  ),
  fc.integer({ min: 0, max: 20 }),
  fc.double(),
);

/** Any shape that plain JavaScript can make. */
const anyShape = fc.anything({
  withBoxedValues: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
});

const value = fc.oneof(
  nonsense,
  anyShape,
  fc.constantFrom(n2, n3),
  fc.boolean(),
  fc.uint8Array({ maxLength: 12 }),
  fc.constantFrom('n1', 'n2', 'compacted', 'add', 'voter', '', [], [null], {
    configuration: votersOf(n2, n3),
  }),
);

const fields = fc.dictionary(fc.constantFrom(...fieldNames), value, { maxKeys: fieldNames.length });

const wrongMessage = fc
  .tuple(fc.constantFrom(...messageTypes), fields, fields)
  .map(([type, rest, snapshot]) => ({ type: 'message', from: n2, message: { snapshot, ...rest, type } }));

const changes = fc.array(
  fc
    .tuple(fc.constantFrom('add', 'remove', 'promote', 'demote', 'move', 'other'), fields)
    .map(([type, rest]) => ({ ...rest, type })),
  { maxLength: 3 },
);

const wrongInput = fc
  .tuple(fc.constantFrom(...inputTypes), fields, changes)
  .map(([type, rest, some]) => ({ changes: some, ...rest, type }));

/** What no caller that follows the contract would hand in. */
export const wrong = fc.oneof(anyShape, wrongInput, wrongMessage) as fc.Arbitrary<Input>;

/** What becomes of one field of an input, of its message, or of a part of one. */
export interface Damage {
  readonly choice: number;
  readonly value: unknown;
}

export const damage: fc.Arbitrary<Damage> = fc.record({ choice: fc.nat({ max: 1000 }), value });

/** An input that was right, with one field damaged. */
export function damagedBy({ choice, value: damaged }: Damage, input: Input): Input {
  return damagedIn(input, choice, damaged) as Input;
}

function damagedIn(whole: unknown, choice: number, damaged: unknown): unknown {
  if (typeof whole !== 'object' || whole === null || whole instanceof Uint8Array) return damaged;
  const names = Object.keys(whole);
  if (names.length === 0) return damaged;
  const name = names[choice % names.length] as string;
  const part = (whole as Record<string, unknown>)[name];
  const isDeeper = typeof part === 'object' && part !== null && choice % 3 > 0;
  const next = isDeeper ? damagedIn(part, Math.floor(choice / names.length), damaged) : damaged;
  return Array.isArray(whole)
    ? whole.map((item, at) => (String(at) === name ? next : item))
    : { ...whole, [name]: next };
}
