import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPayload } from '../../../src/core/codec.ts';
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  type Member,
} from '../../../src/core/index.ts';

const text = fc.string({ unit: fc.constantFrom(...'abcXYZ019._-:/'), maxLength: 40 });
const member: fc.Arbitrary<Member> = fc
  .record({ id: text, storeId: text, url: text, willVote: fc.boolean() })
  .map(({ willVote, ...rest }) => (willVote ? { ...rest, willVote: true } : rest));
const half = fc.uniqueArray(member, { minLength: 1, maxLength: 9, selector: ({ id }) => id });
const configuration: fc.Arbitrary<Configuration> = fc
  .tuple(half, fc.nat({ max: 9 }), fc.uniqueArray(member, { maxLength: 9, selector: ({ id }) => id }))
  .map(([members, learners, votersOutgoing]) => {
    const voters = Math.max(1, members.length - learners);
    return { voters: members.slice(0, voters), votersOutgoing, learners: members.slice(voters) };
  });

describe('a configuration', () => {
  it('comes back from its bytes as it was, and they are the payload of one entry', () => {
    fc.assert(
      fc.property(configuration, (given) => {
        const payload = encodeConfiguration(given);

        expect(decodeConfiguration(payload)).toEqual(given);
        expect(isPayload(payload, 1)).toBe(true);
      }),
      { seed: 1 },
    );
  });

  it('is not found in bytes that were cut short, or go on', () => {
    fc.assert(
      fc.property(configuration, fc.nat(), (given, at) => {
        const payload = encodeConfiguration(given);

        expect(decodeConfiguration(payload.subarray(0, at % payload.byteLength))).toBeUndefined();
        expect(decodeConfiguration(Uint8Array.from([...payload, 0]))).toBeUndefined();
      }),
      { seed: 1 },
    );
  });

  it('is not found where a name stands twice in one half of it', () => {
    const [a, b] = ['s1', 's2'].map((storeId) => ({ id: 'n1', storeId, url: 'ws://h:1' })) as [
      Member,
      Member,
    ];
    const rest = { votersOutgoing: [], learners: [] };

    expect(decodeConfiguration(encodeConfiguration({ ...rest, voters: [a, b] }))).toBeUndefined();
    expect(decodeConfiguration(encodeConfiguration({ ...rest, voters: [a], learners: [b] }))).toBeUndefined();
    const outgoing = encodeConfiguration({ ...rest, voters: [a], votersOutgoing: [b] }); // The store is replaced.
    expect(decodeConfiguration(outgoing)).toBeDefined();
  });

  it('is found or not in any bytes at all, without an exception, and then encodes to the same list', () => {
    const changed = fc
      .tuple(configuration, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
      .map(([given, changes]) => {
        const payload = encodeConfiguration(given);
        for (const [at, byte] of changes) payload[at % payload.byteLength] = byte;
        return payload;
      });

    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const found = decodeConfiguration(bytes);

        if (found !== undefined) expect(encodeConfiguration(found).subarray(4)).toEqual(bytes.subarray(4));
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
