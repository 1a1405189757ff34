import { describe, expect, it } from 'vitest';
import { decodePayload, encodePayload } from '../../../src/core/index.ts';
import { bytesCodec } from '../../../src/streams/codecs.ts';
import { GrowingPayload } from '../../../src/streams/payload.ts';
import { asElsewhere } from '../../../src/streams/results.ts';

const commandsOf = (...sizes: readonly number[]) =>
  sizes.map((size, at) => new Uint8Array(size).fill(at + 1));

function growing(expectedBytes: number, commands: readonly Uint8Array[]): GrowingPayload {
  const payload = new GrowingPayload(expectedBytes);
  for (const command of commands) payload.add(command);
  return payload;
}

describe('a payload that grows', () => {
  it('is that of all its commands, however much room was expected', () => {
    const commands = commandsOf(0, 1, 250, 3, 1000, 128, 5000);

    for (const expectedBytes of [0, 300, 6410, 10_000, 10_000_000])
      expect(growing(expectedBytes, commands).bytes).toEqual(encodePayload(commands));
  });

  it('has copies, which the caller can change no more', () => {
    const command = Uint8Array.of(1, 2, 3);
    const payload = growing(0, [command]);

    command.fill(9);

    expect(decodePayload(payload.bytes)).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('leaves what was given of it as it was', () => {
    const [first, ...others] = commandsOf(10, 20, 3000) as [Uint8Array, ...Uint8Array[]];
    const payload = growing(0, [first]);
    const { bytes } = payload;

    for (const command of others) payload.add(command);

    expect(bytes).toEqual(encodePayload([first]));
  });

  it('keeps less than twice its own memory alive', () => {
    for (const size of [124, 128]) {
      const { bytes } = growing(200_000, commandsOf(size));

      expect(bytes.buffer.byteLength).toBeLessThan(2 * bytes.length);
    }
    const alone = growing(0, commandsOf(124)).bytes; // Half of the least room.
    expect(alone.buffer.byteLength).toBeLessThan(2 * alone.length);
  });
});

describe('results that are bytes', () => {
  it('are copies for callers, but for those without any', () => {
    const own = [Uint8Array.of(1), new Uint8Array(0)];

    const results = asElsewhere(own, bytesCodec);

    expect(results).toEqual(own);
    expect(results[0]).not.toBe(own[0]);
    expect(results[1]).toBe(own[1]);
  });

  it('lead no caller to memory of the machine, nor to another class than elsewhere, where they are empty', () => {
    const memory = Uint8Array.of(1, 2, 3);

    const [part, buffer] = asElsewhere([memory.subarray(1, 1), Buffer.alloc(0)], bytesCodec);

    expect(part?.buffer).not.toBe(memory.buffer);
    expect(buffer?.constructor).toBe(Uint8Array);
  });
});
