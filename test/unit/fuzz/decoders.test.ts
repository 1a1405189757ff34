import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kvCommandCodec } from '../../../examples/kv/kv-command.ts';
import { kvMachine } from '../../../examples/kv/kv-machine.ts';
import { kvAnswerCodec, kvQueryCodec } from '../../../examples/kv/kv-query.ts';
import { kvExecutedCodec, kvResultCodec } from '../../../examples/kv/kv-result.ts';
import {
  batchHeaderBytes,
  decodeBatch,
  decodeConfiguration,
  encodeBatch,
  encodeConfiguration,
  votersOnly,
} from '../../../src/core/index.ts';
import { decodeRecord, encodeRecord, withChecksum } from '../../../src/storage/record.ts';
import { decodeChunk, encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import { decodePiece, encodePiece } from '../../../src/storage/snapshot-piece.ts';
import { withSessions } from '../../../src/streams/sessions.ts';
import { RecordingError } from '../../../src/testing/index.ts';
import { decodeLine } from '../../../src/testing/recorded-line.ts';
import { decodeClientMessage, encodeClientMessage } from '../../../src/transport/client/message-codec.ts';
import { decodePeerMessage, encodePeerMessage } from '../../../src/transport/message-codec.ts';
import { samples as clientMessages } from '../client/messages.ts';
import { batch, samples as messages } from '../transport/frames.ts';
import { fuzz, timeoutMs } from './budget.ts';
import { mutated, sizeOf } from './mutations.ts';
import { recordedLines } from './recorded-lines.ts';

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Every number, name and byte of a result came from the bytes it was read from. */
function expectProportional(result: unknown, bytes: Uint8Array): void {
  expect(sizeOf(result)).toBeLessThan(1_000 + 40 * bytes.byteLength);
}

/** What a codec makes of the bytes; `undefined` if it refuses them with an error that it means to throw. */
function decodedBy<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return decode(bytes);
  } catch (error) {
    expect(error instanceof RangeError || error instanceof TypeError).toBe(true);
    return undefined;
  }
}

describe('any bytes', { timeout: timeoutMs }, () => {
  it('given for a message of a peer are that message, or an error that says where', async () => {
    const sound = Object.values(messages).map(encodePeerMessage);

    await fuzz(mutated(sound), 3_000, (bytes) => {
      const decoded = decodePeerMessage(bytes);

      expectProportional(decoded, bytes);
      if (decoded.type === 'error') {
        expect(decoded.kind).toMatch(/^[a-zA-Z]+$/);
        expect(decoded.offset).toBeLessThanOrEqual(bytes.byteLength);
      } else if (decoded.type !== 'otherVersion') expect(encodePeerMessage(decoded)).toEqual(bytes);
    });
  });

  it('given for a message of a client or its server are that message, or an error that says where', async () => {
    const sound = Object.values(clientMessages).map(encodeClientMessage);

    await fuzz(mutated(sound), 3_000, (bytes) => {
      const decoded = decodeClientMessage(bytes);

      expectProportional(decoded, bytes);
      if (decoded.type === 'error') {
        expect(decoded.kind).toMatch(/^[a-zA-Z]+$/);
        expect(decoded.offset).toBeLessThanOrEqual(bytes.byteLength);
      } else if (decoded.type !== 'otherVersion') expect(encodeClientMessage(decoded)).toEqual(bytes);
    });
  });

  it('given for a batch are that batch, or a typed error, also where the checksums were made to fit', async () => {
    const entries = [bytesOf('one'), bytesOf(''), bytesOf('x'.repeat(100))];
    const configuration = encodeConfiguration(votersOnly([{ id: 'n1', storeId: 's', url: 'ws://h:1' }]));
    const sound = [
      batch(10, entries),
      batch(13, [bytesOf('')], 'noop'),
      batch(14, [configuration.subarray(4)], 'configuration'),
    ].map((batch) => encodeBatch(batch));

    await fuzz(fc.tuple(mutated(sound), fc.boolean()), 3_000, ([damaged, isMended]) => {
      const bytes = isMended ? mended(damaged) : damaged;

      const decoded = decodeBatch(bytes);

      expectProportional(decoded, bytes);
      if (decoded.type === 'error') return expect(decoded.kind).toMatch(/^[a-zA-Z]+$/);
      expect(encodeBatch({ ...decoded.batch })).toEqual(bytes.slice(0, decoded.end));
      expect(zlibCrc32(decoded.batch.payload)).toBe(decoded.batch.payloadChecksum);
    });
  });

  it('given for a configuration are that configuration, or none', async () => {
    const member = (name: string) => ({ id: name, storeId: `store-${name}`, url: `ws://${name}:7101` });
    const sound = [
      votersOnly([member('n1')]),
      votersOnly([member('n1'), member('n2'), member('n3')]),
      {
        voters: [member('a')],
        votersOutgoing: [member('a'), member('b')],
        learners: [{ ...member('c'), willVote: true as const }],
      },
    ].map(encodeConfiguration);

    await fuzz(mutated(sound), 3_000, (bytes) => {
      const decoded = decodeConfiguration(bytes);

      expectProportional(decoded, bytes);
      if (decoded !== undefined) expect(encodeConfiguration(decoded).subarray(4)).toEqual(bytes.subarray(4));
    });
  });

  it('given for a piece of a snapshot are that piece, or none', async () => {
    const key = bytesOf('key');
    const sound = [
      encodeChunk([]),
      encodeChunk([
        [bytesOf('a'), bytesOf('1')],
        [bytesOf('b'), bytesOf('')],
        [bytesOf('ba'), bytesOf('x'.repeat(60))],
      ]),
      encodePiece({ key, bytes: bytesOf('part'), isEnd: false }),
      encodePiece({ key, bytes: bytesOf('end'), isEnd: true }),
    ];

    await fuzz(mutated(sound), 3_000, (bytes) => {
      const [chunk, piece] = [decodeChunk(bytes, ''), decodePiece(bytes)];

      expectProportional([chunk, piece], bytes);
      if (chunk !== undefined) expect(encodeChunk(chunk.entries)).toEqual(bytes);
      if (piece !== undefined) expect(encodePiece(piece)).toEqual(bytes);
    });
  });

  it('given for a record of a store are that record, or none, also where the checksum was made to fit', async () => {
    const sound = [encodeRecord(1), encodeRecord({ currentTerm: 3, votedFor: { id: 'n1', storeId: 's' } })];

    await fuzz(fc.tuple(mutated(sound), fc.boolean()), 3_000, ([damaged, isMended]) => {
      const bytes = isMended ? withChecksum(damaged.subarray(4)) : damaged;

      const decoded = decodeRecord(bytes);

      expectProportional(decoded, bytes);
      if (decoded !== undefined) expect(Buffer.from(bytes).readUInt32BE()).toBe(zlibCrc32(bytes.subarray(4)));
    });
  });

  it('given for a command of the key-value server are a command, and change nothing if they are none', async () => {
    const [a, b] = [bytesOf('a'), bytesOf('some value')];
    const ops = [
      { type: 'put', key: a, value: b },
      { type: 'delete', key: a },
      { type: 'append', key: a, value: b, valueBytesMax: 100 },
      { type: 'cas', key: a, expect: null, value: b },
      { type: 'cas', key: a, expect: b, value: b },
    ] as const;
    const sound = [...ops, { type: 'batch' as const, ops }].map(kvCommandCodec.encode);

    await fuzz(mutated(sound), 3_000, (bytes) => {
      const decoded = kvCommandCodec.decode(bytes);

      expectProportional(decoded, bytes);
      expect(new Uint8Array(kvCommandCodec.encode(decoded))).toEqual(bytes);
    });
  });

  it('given for a result of the key-value server are a result, or refused', async () => {
    const results = [
      { type: 'put' },
      { type: 'delete', existed: true },
      { type: 'append', length: 300 },
      { type: 'cas', swapped: false },
      { type: 'tooLarge', length: 2_000, valueBytesMax: 1_024 },
    ] as const;
    const each = [...results, { type: 'batch' as const, results }, { type: 'unreadable' as const }];
    const sound = each.flatMap((result) => [
      kvResultCodec.encode(result),
      kvExecutedCodec.encode({ index: 7, term: 2, result }),
    ]);

    await fuzz(mutated(sound), 3_000, (bytes) => {
      expectProportional(decodedBy(kvResultCodec.decode, bytes), bytes);
      expectProportional(decodedBy(kvExecutedCodec.decode, bytes), bytes);
    });
  });

  it('given for a query or an answer of the key-value server are one, or refused', async () => {
    const [a, b] = [bytesOf('a'), bytesOf('some value')];
    const sound = [
      kvQueryCodec.encode({ type: 'get', key: a }),
      kvQueryCodec.encode({ type: 'exists', key: b }),
      kvQueryCodec.encode({ type: 'range', prefix: a, from: b, limit: 100 }),
      kvAnswerCodec.encode({ type: 'get', value: b }),
      kvAnswerCodec.encode({ type: 'get', value: null }),
      kvAnswerCodec.encode({ type: 'exists', exists: true }),
      kvAnswerCodec.encode({
        type: 'range',
        entries: [
          [a, b],
          [b, a],
        ],
        next: a,
      }),
    ];

    await fuzz(mutated(sound), 3_000, (bytes) => {
      const [query, answer] = [decodedBy(kvQueryCodec.decode, bytes), decodedBy(kvAnswerCodec.decode, bytes)];

      expectProportional([query, answer], bytes);
      if (query !== undefined) expect(new Uint8Array(kvQueryCodec.encode(query))).toEqual(bytes);
      if (answer !== undefined) expect(new Uint8Array(kvAnswerCodec.encode(answer))).toEqual(bytes);
    });
  });

  it('given for a command or a result with a session are one, or refused', async () => {
    const { command, result } = withSessions(kvMachine());
    const plain = { type: 'delete', key: bytesOf('a') } as const;
    const stamp = { session: 17, sequence: 3, lowestUnanswered: 2 };
    const executed = { index: 7, term: 2, result: { type: 'put' } } as const;
    const sound = [
      command.encode({ type: 'open' }),
      command.encode({ type: 'plain', command: plain }),
      command.encode({ type: 'once', command: plain, ...stamp }),
      result.encode({ type: 'applied', result: executed }),
      result.encode({ type: 'opened', session: 17 }),
      result.encode({ type: 'overloaded' }),
    ];

    await fuzz(mutated(sound), 3_000, (bytes) => {
      expectProportional(decodedBy(command.decode, bytes), bytes);
      expectProportional(decodedBy(result.decode, bytes), bytes);
    });
  });

  it('given for a line of a recording are a line, or an error that names it', async () => {
    const sound = recordedLines().map(bytesOf);

    await fuzz(mutated(sound), 2_000, (bytes) => {
      const text = Buffer.from(bytes).toString('utf8');
      try {
        expect(['start', 'step', 'gap']).toContain(decodeLine(text, 7).type);
      } catch (error) {
        expect(error).toBeInstanceOf(RecordingError);
        expect((error as Error).message).toMatch(/^Line 7 /);
      }
    });
  });
});

/** A batch whose checksums, and whose length, are right again. */
function mended(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength < batchHeaderBytes) return bytes;
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  view.setUint8(0, 0xb7);
  view.setUint8(1, 1);
  view.setUint32(36, copy.byteLength - batchHeaderBytes);
  view.setUint32(40, zlibCrc32(copy.subarray(batchHeaderBytes)));
  view.setUint32(44, zlibCrc32(copy.subarray(0, 44)));
  return copy;
}
