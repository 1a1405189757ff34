import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeClientMessage, encodeClientMessage } from '../../../src/transport/client/message-codec.ts';
import { clientFrameType } from '../../../src/transport/client/protocol.ts';
import { decodePeerMessage, encodePeerMessage } from '../../../src/transport/message-codec.ts';
import { samples as peerSamples } from '../transport/frames.ts';
import { anyFrame, samples } from './messages.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/client-frames-1.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

function framed(...frame: number[]): Uint8Array {
  return new Uint8Array([144, 0, 0, 0, frame.length, ...frame]);
}

function kindOf(bytes: Uint8Array): string {
  const decoded = decodeClientMessage(bytes);
  return decoded.type === 'error' ? decoded.kind : decoded.type;
}

describe('the byte form of a message between client and server', () => {
  it('has a golden sample of every kind', () => {
    expect(Object.keys(golden)).toEqual(Object.keys(samples));
  });

  for (const [name, message] of Object.entries(samples)) {
    it(`is what it always was: ${name}`, () => {
      expect(hex(encodeClientMessage(message))).toBe(golden[name]);
      expect(decodeClientMessage(fromHex(golden[name] as string))).toEqual(message);
    });
  }

  it('comes back as what was sent', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 4 }), (frames) => {
        const message = { type: 'frames', frames } as const;

        expect(decodeClientMessage(encodeClientMessage(message))).toEqual(message);
      }),
    );
  });

  it('is never taken for one between nodes, nor the other way round', () => {
    for (const message of Object.values(samples))
      expect(decodePeerMessage(encodeClientMessage(message)).type).toBe('error');
    for (const message of Object.values(peerSamples))
      expect(decodeClientMessage(encodePeerMessage(message)).type).toBe('error');
  });
});

describe('bytes from a client or a server that nobody vouches for', () => {
  it('give a value or an error, whatever they are', () => {
    const types = [...Object.values(clientFrameType), 40, 47, 72, 79];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 200 }), (type, rest) => {
        expect(typeof decodeClientMessage(framed(type, ...rest)).type).toBe('string');
      }),
      { numRuns: 1_000 },
    );
  });

  it('of another version are told apart, whatever follows the version', () => {
    const hello = [129, 0x72, 0x78, 0x72, 0x63, 0, 9, 1, 2, 3];

    expect(decodeClientMessage(new Uint8Array(hello))).toEqual({ type: 'otherVersion', protocolVersion: 9 });
  });

  it.each([40, 47, 72, 79])(
    'of the kind %i, kept for commit streams, are unknown in this version',
    (type) => {
      expect(kindOf(framed(type, 0, 0, 0, 1))).toBe('unknownType');
    },
  );

  it('are refused where a frame is about nothing, too much, or ids beyond the safe integers', () => {
    const write = (firstId: number[], count: number[], payload: number[]) =>
      framed(32, ...firstId, 0, 0, 0, 9, ...count, ...payload);
    const one = [0, 0, 0, 0, 0, 0, 0, 1];

    expect(kindOf(write(one, [0, 0, 0, 1], [0, 0, 0, 0]))).toBe('frames');
    expect(kindOf(write(one, [0, 0, 0, 0], []))).toBe('outOfRange');
    expect(kindOf(write(one, [0, 1, 0, 1], [0, 0, 0, 0]))).toBe('tooMany');
    expect(kindOf(write(one, [0, 0, 0, 2], [0, 0, 0, 0]))).toBe('truncated');
    expect(kindOf(write(one, [0, 0, 0, 1], [0, 0, 0, 1]))).toBe('badPayload');
    expect(kindOf(write(one, [0, 0, 0, 1], [0, 0, 0, 0, 5]))).toBe('badPayload');
    expect(kindOf(write([0, 0x1f, 255, 255, 255, 255, 255, 255], [0, 0, 0, 1], [0, 0, 0, 0]))).toBe(
      'outOfRange',
    );
  });
});
