import { describe, expect, it } from 'vitest';
import { bytesCodec } from '../../../src/streams/codecs.ts';
import {
  openSessionBytes,
  sessionCommandCodec,
  sessionHeadBytes,
  writeOnceHead,
  writePlainHead,
} from '../../../src/transport/session-codec.ts';

const codec = sessionCommandCodec(bytesCodec);
const inner = Uint8Array.of(1, 2, 3);
const stamp = { session: 17, sequence: 3, lowestUnanswered: 2 };

describe('the byte form of a command with sessions', () => {
  it('is the same whether a node encodes it, or a client writes what stands in front', () => {
    const once = new Uint8Array([...new Uint8Array(sessionHeadBytes.once), ...inner]);
    writeOnceHead(once, 0, stamp);
    const plain = new Uint8Array([...new Uint8Array(sessionHeadBytes.plain), ...inner]);
    writePlainHead(plain, 0);

    expect(codec.encode({ type: 'once', command: inner, ...stamp })).toEqual(once);
    expect(codec.encode({ type: 'plain', command: inner })).toEqual(plain);
    expect(codec.encode({ type: 'open' })).toEqual(openSessionBytes);
    expect(codec.decode(once)).toEqual({ type: 'once', command: inner, ...stamp });
  });

  it('is not made of a number that a log could not give back', () => {
    for (const odd of [-1, 0.5, 2 ** 53, Number.NaN])
      for (const field of ['session', 'sequence', 'lowestUnanswered'])
        expect(() => codec.encode({ type: 'once', command: inner, ...stamp, [field]: odd })).toThrow(
          TypeError,
        );
  });

  it('of a log of before is read, whatever its numbers are: no session has them', () => {
    const huge = codec.encode({ type: 'once', command: inner, ...stamp });
    huge[1] = 0x40;

    expect(codec.decode(huge)).toMatchObject({ type: 'once', session: -1 });
    expect(codec.decode(Uint8Array.of(1, 0))).toEqual({ type: 'open' });
  });

  it('is refused where it is cut off, or of a kind that nobody knows', () => {
    const once = codec.encode({ type: 'once', command: inner, ...stamp });

    for (const bytes of [once.subarray(0, 24), Uint8Array.of(9), new Uint8Array()])
      expect(() => codec.decode(bytes)).toThrow(TypeError);
  });
});
