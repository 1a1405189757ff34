import { bytesCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../src/core/index.ts';
import { WriteCall } from '../../../src/transport/client/calls.ts';
import { commandPayload } from '../../../src/transport/client/request-frames.ts';
import { sessionCommandCodec } from '../../../src/transport/session-codec.ts';

const codec = sessionCommandCodec(bytesCodec);

function callOf(session: number, sequence: number): WriteCall {
  const call = new WriteCall(Uint8Array.of(sequence), { deadlineMs: 1000, order: sequence });
  call.session = session;
  call.sequence = sequence;
  return call;
}

describe('commands that go once more', () => {
  it('tell their own session what is answered, and an earlier one nothing', () => {
    const calls = [callOf(9, 60), callOf(5, 7)];

    const payload = commandPayload(calls, { type: 'once', session: 9, lowestUnanswered: 50 });

    expect(decodePayload(payload).map((bytes) => codec.decode(bytes))).toMatchObject([
      { session: 9, sequence: 60, lowestUnanswered: 50 },
      { session: 5, sequence: 7, lowestUnanswered: 1 },
    ]);
  });
});
