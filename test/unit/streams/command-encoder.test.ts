import { bytesCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { CommandEncoder } from '../../../src/streams/command-encoder.ts';

/** Of bytes, of which none is 255; 20 may go into one batch. */
const encoder = new CommandEncoder<Uint8Array>(
  {
    encode: bytesCodec.encode,
    decode: (bytes) => {
      if (bytes.includes(255)) throw new RangeError('255 is no command');
      return bytes;
    },
  },
  20,
);
const tooLarge = { code: 'RAFT_COMMAND_TOO_LARGE', outcome: 'notCommitted' };

/** What is thrown. */
function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('commands', () => {
  it('may have as many bytes as the limit says, with 4 between any two, and not one more', () => {
    const sized = (...sizes: readonly number[]) => sizes.map((size) => new Uint8Array(size));

    expect(encoder.encodeOne(new Uint8Array(20))).toHaveLength(20);
    expect(encoder.encodeAll(sized(20))).toHaveLength(1);
    expect(encoder.encodeAll(sized(4, 4, 4))).toHaveLength(3);
    expect(thrown(() => encoder.encodeOne(new Uint8Array(21)))).toMatchObject(tooLarge);
    expect(thrown(() => encoder.encodeAll(sized(4, 4, 5)))).toMatchObject({
      ...tooLarge,
      message: expect.stringContaining('The 3 commands have 21 bytes'),
    });
    expect(thrown(() => encoder.check(sized(8, 9)))).toMatchObject(tooLarge);
  });

  it('are read before they are passed on', () => {
    expect([Uint8Array.of(254), Uint8Array.of(1, 255)].map((bytes) => encoder.isCommand(bytes))).toEqual([
      true,
      false,
    ]);
  });
});
