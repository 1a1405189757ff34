import { describe, expect, it } from 'vitest';
import { step } from '../../../src/core/index.ts';
import { candidate, flush, from, n1, n2, node, preVote, run, vote } from './builders.ts';

const stranger = { id: 'n9', storeId: 'n9' };
const wiped = { id: 'n2', storeId: 'another' };

describe('votes from a node that is no member', () => {
  it('are not even kept', () => {
    const asked = flush(candidate()).state;

    const { state } = run(asked, from(stranger, vote(1)), from(wiped, vote(1)));

    expect(state.role).toMatchObject({ type: 'candidate', votes: [n1] });
  });

  it('are not kept as pre-votes either', () => {
    const asked = run(node(), { type: 'campaign', id: 1 }).state;

    const { state } = run(asked, from(stranger, preVote(1)), from(wiped, preVote(1)));

    expect(state.role).toMatchObject({ type: 'preCandidate', votes: [n1] });
  });
});

describe('a message that claims to come from the node itself', () => {
  it('is refused, so that it can’t stand in for the node’s own disk', () => {
    const unflushed = run(candidate(), from(n2, vote(1))).state;

    const { state, outputs } = step(unflushed, from(n1, vote(1)));

    expect(state).toBe(unflushed);
    expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'malformedMessage' }]);
  });
});
