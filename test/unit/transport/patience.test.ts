import { describe, expect, it } from 'vitest';
import { term } from '../../../src/core/index.ts';
import { patienceOf } from '../../../src/transport/frame-codec.ts';
import type { PeerFrame } from '../../../src/transport/transport.ts';
import { append, batch, chunk } from './frames.ts';

const grant: PeerFrame = {
  type: 'raft',
  group: 0,
  message: { type: 'requestVoteReply', term: term(3), voteGranted: true },
};

describe('how long a frame waits for others', () => {
  it.each([
    { what: 'entries', frame: append([batch(10, [new Uint8Array(3)])], { round: 4 }), patience: 'none' },
    {
      what: 'many entries',
      frame: append([batch(10, [new Uint8Array(16_384)])], { round: 4 }),
      patience: 'turn',
    },
    { what: 'a commit index alone', frame: append([], { round: 4 }), patience: 'moment' },
    { what: 'a new round of reads', frame: append([], { round: 5 }), patience: 'nextTurn' },
    { what: 'the round of a new leader', frame: append([], { round: 1 }), patience: 'nextTurn' },
    { what: 'a vote', frame: grant, patience: 'turn' },
    { what: 'a piece of a snapshot', frame: chunk(0, new Uint8Array(3)), patience: 'turn' },
    {
      what: 'what belongs to no group',
      frame: { type: 'foundAck', clusterId: 'c' } as const,
      patience: 'turn',
    },
  ])('$what: $patience', ({ frame, patience }) => {
    expect(patienceOf(frame, 4)).toBe(patience);
  });
});
