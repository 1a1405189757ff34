import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Configuration, NodeId } from '../../../../src/core/index.ts';
import { isQuorum, quorumValue } from '../../../../src/core/quorum.ts';
import { ack, flush, from, leader, n1, n2, n3, n4, n5, run, votersOf, write } from '../builders.ts';

/** The value that most have reached, the slow way: try every one, and count. */
function slowly(values: readonly number[]): number {
  const possible = values.filter(
    (value) => values.filter((other) => other >= value).length * 2 > values.length,
  );
  return Math.max(0, ...possible);
}

const peers = [n1, n2, n3, n4, n5];

describe('rule 6: only entries of the own term are committed by counting, by a plain majority', () => {
  it('of any number of voters, the highest value that more than half have reached', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 5 }), (values) => {
        const configuration = votersOf(...peers.slice(0, values.length));
        const reached = (voter: { readonly id: NodeId }) => values[Number(voter.id.slice(1)) - 1] ?? 0;

        expect(quorumValue(configuration, reached)).toBe(slowly(values));
      }),
    );
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i voters, %i are a quorum and one less is not', (count, needed) => {
    const configuration = votersOf(...peers.slice(0, count));
    const first = (number: number) => (voter: { readonly id: NodeId }) => Number(voter.id.slice(1)) <= number;

    expect(isQuorum(configuration, first(needed))).toBe(true);
    expect(isQuorum(configuration, first(needed - 1))).toBe(false);
  });

  it('in a joint configuration both halves must agree (§6)', () => {
    const joint: Configuration = { ...votersOf(n1, n2, n3), votersOutgoing: votersOf(n3, n4, n5).voters };
    const has =
      (...ids: readonly NodeId[]) =>
      (voter: { readonly id: NodeId }) =>
        ids.includes(voter.id);

    expect(isQuorum(joint, has('n1', 'n2'))).toBe(false);
    expect(isQuorum(joint, has('n4', 'n5'))).toBe(false);
    expect(isQuorum(joint, has('n1', 'n3', 'n5'))).toBe(true);
  });

  it('without voters nothing is ever agreed', () => {
    expect(isQuorum(votersOf(), () => true)).toBe(false);
  });

  it('an entry of an earlier term on every node is not committed by itself (§5.4.2)', () => {
    const elected = flush(leader({ terms: [1, 1] })).state;

    const { state } = run(elected, from(n2, ack(2, 2)), from(n3, ack(2, 2)));

    expect(state.commitIndex).toBe(0);
    expect(run(state, from(n2, ack(2, 3))).state.commitIndex).toBe(3);
  });

  it('an acknowledgement from a wiped disk of a member counts for nothing', () => {
    const waiting = flush(run(leader(), write(1, 'x')).state).state;

    const { state } = run(waiting, from({ id: 'n2', storeId: 'another' }, ack(1, 2)));

    expect(state.commitIndex).toBe(0);
  });
});
