import { describe, expect, it } from 'vitest';
import { explain, type State } from '../../../src/core/index.ts';
import {
  ack,
  appendEntries,
  candidate,
  establishedLeader,
  from,
  leader,
  n1,
  n2,
  n3,
  node,
  run,
  threeNodes,
  votersOf,
  wait,
  write,
} from './builders.ts';
import { change, installSnapshot, snapshotOf } from './builders-membership.ts';

const said = (state: State) => explain(state).map(({ topic, text }) => `${topic}: ${text}`);

describe('explain', () => {
  it.each<[string, State, string]>([
    ['who waits for a leader', node(), 'noLeader: n1 knows no leader in term 0'],
    [
      'who asks',
      run(node(), { type: 'campaign', id: 1 }).state,
      'asks whether it could win an election: 1 of 2',
    ],
    [
      'who asks both halves of a change',
      run(node({ configuration: { ...votersOf(n1, n3), votersOutgoing: threeNodes.voters } }), {
        type: 'campaign',
        id: 1,
      }).state,
      '1 of 2 needed of the new voters and 1 of 2 needed of the old ones say yes',
    ],
    ['who stands', candidate(), 'stands for election in term 1 with 0 of 2 votes, its own not yet on disk'],
    ['who can’t stand', node({ configuration: votersOf(n2, n3) }), 'n1 is not a voter'],
    [
      'whose leader is silent',
      wait(run(node(), from(n2, appendEntries({ term: 1 }))).state, 300).state,
      'n1 has not heard from the leader n2 for 300 ms',
    ],
    [
      'whose connection broke',
      run(node(), from(n2, appendEntries({ term: 1 })), { type: 'peerDown', id: 'n2' }).state,
      'The connection to the leader n2 is down',
    ],
    [
      'why a write waits',
      run(establishedLeader(), write(1, 'x')).state,
      '2 waits for a majority; n1, n2, n3 have not',
    ],
    [
      'why a read waits',
      run(leader(), { type: 'read', id: 1 }).state,
      'has not committed entry 1 of its own term',
    ],
    [
      'a change',
      run(establishedLeader(), change(1, { type: 'remove', id: 'n3' })).state,
      'both the old and the new majority',
    ],
    [
      'a transfer',
      run(establishedLeader(), { type: 'transferLeadership', id: 1, to: 'n2' }).state,
      'Leadership is being handed over to n2',
    ],
    ['who is cut off', run(establishedLeader(), { type: 'peerDown', id: 'n3' }).state, 'n3 is not connected'],
    [
      'a slow disk',
      wait(run(establishedLeader(), write(1, 'x'), from(n2, ack(1, 2))).state, 200).state,
      'has not finished a flush for 200 ms',
    ],
    [
      'a snapshot taken',
      run(node(), { type: 'compact', id: 1, keepsPrevious: false }).state,
      'n1 is taking a snapshot',
    ],
    [
      'a snapshot installed',
      run(node(), from(n2, installSnapshot(1, snapshotOf(9, 1)))).state,
      'n1 is installing the snapshot of 9',
    ],
  ])('tells %s', (_what, state, expected) => {
    expect(said(state)).toContainEqual(expect.stringContaining(expected));
  });
});
