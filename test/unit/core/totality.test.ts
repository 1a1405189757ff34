import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkState,
  checkTransition,
  crc32,
  type EntryBatch,
  type Input,
  index,
  type Message,
  type Peer,
  type State,
  step,
  term,
  termAt,
} from '../../../src/core/index.ts';
import { batchOf, n2, n3, n4, n5, node } from './builders.ts';

const peers: readonly Peer[] = [
  n2,
  n3,
  n4,
  n5,
  { id: 'n2', storeId: 'wiped' },
  { id: 'stranger', storeId: 'x' },
];

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

/** A value that is no input: any shape that plain JavaScript can make. */
const anyShape = fc.anything({
  withBoxedValues: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
});

const messageTypes = [
  'preVote',
  'preVoteReply',
  'requestVote',
  'requestVoteReply',
  'appendEntries',
  'appendEntriesReply',
] as const;

const inputTypes = [
  'tick',
  'write',
  'read',
  'message',
  'persistRes',
  'readLogRes',
  'applyRes',
  'readStateMachineRes',
  'campaign',
  'peerUp',
  'peerDown',
] as const;

const fieldNames = [
  'now',
  'id',
  'payload',
  'payloadChecksum',
  'count',
  'from',
  'message',
  'seq',
  'batches',
  'appliedIndex',
  'durableIndex',
  'term',
  'voteGranted',
  'lastLogIndex',
  'lastLogTerm',
  'prevLogIndex',
  'prevLogTerm',
  'leaderCommit',
  'round',
  'success',
  'matchIndex',
  'rejectedIndex',
  'hintIndex',
  'hintTerm',
] as const;

const value = fc.oneof(
  nonsense,
  anyShape,
  fc.constantFrom(n2, n3),
  fc.boolean(),
  fc.uint8Array({ maxLength: 12 }),
);
const fields = fc.dictionary(fc.constantFrom(...fieldNames), value, { maxKeys: fieldNames.length });
const wrongMessage = fc
  .tuple(fc.constantFrom(...messageTypes), fields)
  .map(([type, rest]) => ({ type: 'message', from: n2, message: { ...rest, type } }));
const wrongInput = fc
  .tuple(fc.constantFrom(...inputTypes), fields)
  .map(([type, rest]) => ({ ...rest, type }));
const wrong = fc.oneof(anyShape, wrongInput, wrongMessage) as fc.Arbitrary<Input>;

/** Small numbers from which inputs are made that fit the state they meet. */
const draws = fc.array(fc.nat({ max: 1000 }), { minLength: 6, maxLength: 6 });

type Step = { readonly wrong: Input } | { readonly draws: readonly number[] };
const someSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: wrong.map((input) => ({ wrong: input })) },
    { weight: 5, arbitrary: draws.map((numbers) => ({ draws: numbers })) },
  ),
  { minLength: 1, maxLength: 60 },
);

/** An input that the state can accept, made from draws: the same draws give the same input. */
function inputFor(state: State, [kind, a, b, c, d, e]: readonly number[]): Input {
  const from = peers[(a as number) % peers.length] as Peer;
  const received = (message: Message): Input => ({ type: 'message', from, message });
  const requestTerm = term(Math.max(0, state.currentTerm + ((b as number) % 4) - 1));
  const isYes = (c as number) % 4 > 0;
  const at = index(
    Math.min(state.log.lastIndex, (d as number) % 6 === 0 ? 0 : state.commitIndex + ((d as number) % 4)),
  );
  const termThere = termAt(state.log, at) ?? term(0);
  switch (kindFor(state, kind as number)) {
    case 0:
      return { type: 'tick', now: state.now + ((a as number) % 60) };
    case 1:
      return { type: 'campaign', id: a as number };
    case 2:
      return received({
        type: 'preVote',
        term: term(requestTerm + 1),
        lastLogIndex: at,
        lastLogTerm: termThere,
      });
    case 3:
      return received({
        type: 'preVoteReply',
        term: isYes ? term(state.currentTerm + 1) : requestTerm,
        voteGranted: isYes,
      });
    case 4:
      return received({
        type: 'requestVote',
        term: requestTerm,
        isTransfer: (e as number) % 7 === 0,
        lastLogIndex: at,
        lastLogTerm: termThere,
      });
    case 5:
      return received({
        type: 'requestVoteReply',
        term: isYes ? state.currentTerm : requestTerm,
        voteGranted: isYes,
      });
    case 6:
    case 7:
      return received({
        type: 'appendEntries',
        term: requestTerm,
        prevLogIndex: at,
        prevLogTerm: (e as number) % 5 === 0 ? requestTerm : termThere,
        leaderCommit: index((e as number) % 12),
        batches: batchesAfter(at, requestTerm, (c as number) % 3),
        round: (e as number) % 3,
      });
    case 8:
      return received({
        type: 'appendEntriesReply',
        term: isYes ? state.currentTerm : requestTerm,
        success: isYes,
        matchIndex: isYes ? at : index(0),
        round: (e as number) % 3,
        rejectedIndex: isYes ? index(0) : at,
        hintIndex: index(Math.max(0, at - 1)),
        hintTerm: termThere,
      });
    case 9:
      return {
        type: 'write',
        id: a as number,
        payload: twoCommands,
        payloadChecksum: crc32(twoCommands),
        count: 2,
      };
    case 10:
      return { type: 'read', id: a as number };
    case 11:
      return { type: 'persistRes', seq: Math.min(state.persistSeq, state.durableSeq + ((a as number) % 3)) };
    case 12:
      return {
        type: 'applyRes',
        seq: state.applySeq,
        appliedIndex: state.commitIndex,
        durableIndex: index(0),
      };
    default:
      return readAnswer(state, a as number, b as number);
  }
}

/** A candidate mostly gets votes, a leader acknowledgements: so that elections are won and entries committed. */
function kindFor({ role }: State, kind: number): number {
  const isOther = kind % 3 === 0;
  if (role.type === 'preCandidate' && !isOther) return 3;
  if (role.type === 'candidate' && !isOther) return kind % 2 === 0 ? 5 : 11;
  if (role.type === 'leader' && !isOther) return [8, 8, 9, 10, 11, 12, 13][kind % 7] as number;
  return kind % 14;
}

const twoCommands = batchOf(1, 1, 'a', 'b').payload;

function batchesAfter(at: number, inTerm: number, count: number): readonly EntryBatch[] {
  if (inTerm === 0) return [];
  return Array.from({ length: count }, (_, place) => batchOf(at + 1 + place, inTerm));
}

function readAnswer(state: State, a: number, b: number): Input {
  const query = state.queries[a % Math.max(1, state.queries.length)];
  if (query !== undefined) return { type: 'readStateMachineRes', id: query };
  const peer = peers[a % peers.length] as Peer;
  if (b % 2 === 0) return { type: b % 4 === 0 ? 'peerUp' : 'peerDown', id: peer.id };
  return { type: 'readLogRes', seq: state.readLogSeq, batches: 'compacted' };
}

describe('step, given any value at all', () => {
  it('never throws, keeps every invariant, and leaves the state alone when it reports a fault', () => {
    const seen = { faults: 0, accepted: 0, roles: new Set<string>() };

    fc.assert(
      fc.property(someSteps, (steps) => {
        let state = node();
        for (const next of steps) {
          const before = state;
          const { state: after, outputs } = step(
            before,
            'wrong' in next ? next.wrong : inputFor(before, next.draws),
          );
          const hasFault = outputs.some((output) => output.type === 'fault');

          if (hasFault) expect(after).toBe(before);
          expect(checkTransition(before, after) ?? checkState(after)).toBeUndefined();

          seen.faults += hasFault ? 1 : 0;
          seen.accepted += hasFault ? 0 : 1;
          seen.roles.add(after.role.type);
          state = after;
        }
      }),
      { numRuns: 1500, seed: 1 },
    );

    expect(seen.roles).toEqual(new Set(['follower', 'preCandidate', 'candidate', 'leader']));
    expect(seen.accepted).toBeGreaterThan(seen.faults);
    expect(seen.faults).toBeGreaterThan(1000);
  });
});
