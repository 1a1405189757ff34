import { readFileSync } from 'node:fs';
import { crc32 as crc32OfNode } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeBatch,
  encodeConfiguration,
  index,
  type MemberChange,
  type Message,
  term,
} from '../../../src/core/index.ts';
import { frameType } from '../../../src/transport/frame-type.ts';
import {
  decodePeerMessage,
  encodeFrames,
  encodePeerMessage,
  frameBytes,
  type PeerMessage,
} from '../../../src/transport/message-codec.ts';
import {
  type ForwardFrame,
  type PeerFrame,
  resultsBytesMax,
  type SnapshotOfferFrame,
  snapshotChunkBytesMax,
} from '../../../src/transport/transport.ts';
import { anyPeerMessage, append, batch, chunk, hello, results, samples } from './frames.ts';

const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/frames-1.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

function kindOf(bytes: Uint8Array): string {
  const decoded = decodePeerMessage(bytes);
  return decoded.type === 'error' ? decoded.kind : decoded.type;
}

describe('the byte form of a message', () => {
  it('has a golden sample of every kind', () => {
    expect(Object.keys(golden)).toEqual(Object.keys(samples));
  });

  for (const [name, message] of Object.entries(samples)) {
    it(`is what it always was: ${name}`, () => {
      expect(hex(encodePeerMessage(message))).toBe(golden[name]);
      expect(decodePeerMessage(fromHex(golden[name] as string))).toEqual(message);
    });
  }

  it('comes back as what was sent, with either checksum', () => {
    fc.assert(
      fc.property(anyPeerMessage, (message) => {
        const bytes = encodePeerMessage(message);

        expect(decodePeerMessage(bytes)).toEqual(message);
        expect(decodePeerMessage(bytes, (payload) => crc32OfNode(payload))).toEqual(message);
        expect(encodePeerMessage(decodePeerMessage(bytes) as PeerMessage)).toEqual(bytes);
      }),
    );
  });

  it('is as long as the sizes of its frames say', () => {
    fc.assert(
      fc.property(anyPeerMessage, (message) => {
        if (message.type !== 'frames') return;
        const total = message.frames.reduce((sum, frame) => sum + frameBytes(frame), 1);

        expect(encodePeerMessage(message).byteLength).toBe(total);
      }),
    );
  });

  it('is as long as the sizes of its frames say, for every kind of frame', () => {
    for (const message of Object.values(samples)) {
      if (message.type !== 'frames') continue;
      for (const frame of message.frames) expect(encodeFrames([frame]).length).toBe(1 + frameBytes(frame));
    }
  });

  it('leaves no byte unwritten: two encodings are equal', () => {
    for (const message of Object.values(samples)) {
      expect(encodePeerMessage(message)).toEqual(encodePeerMessage(message));
    }
  });

  it('carries the bytes of batches as they are', () => {
    const first = batch(10, [new Uint8Array([1, 2, 3])]);

    const bytes = encodeFrames([append([first])]);

    expect(hex(bytes).endsWith(hex(encodeBatch(first)))).toBe(true);
    const decoded = decodePeerMessage(bytes) as unknown as {
      frames: [{ message: { batches: [typeof first] } }];
    };
    expect(encodeBatch(decoded.frames[0].message.batches[0])).toEqual(encodeBatch(first));
  });

  it('cuts texts for people that are too long', () => {
    const reason = 'é'.repeat(10_000);

    const decoded = decodePeerMessage(
      encodePeerMessage({ type: 'refusal', refusal: { code: 'wipedStore', reason } }),
    );

    expect(decoded).toMatchObject({ refusal: { reason: expect.stringMatching(/^é{1000,}$/) } });
  });
});

describe('a hello', () => {
  const whole = { ...hello, clusterId: 'c', members: [{ id: 'a', url: 'ws://a:1' }] };
  const odd = [
    { id: 'eu/db-4', url: 'ws://b:1' },
    { id: 'c', url: '' },
    { id: 'd', url: `ws://${'d'.repeat(600)}` },
  ];

  it('of a cluster leaves out members that have no place in it', () => {
    const bytes = encodePeerMessage({
      type: 'hello',
      hello: { ...whole, members: [...odd, ...whole.members] },
    });

    expect(decodePeerMessage(bytes)).toEqual({ type: 'hello', hello: whole });
  });

  it('of a founder is not read if it declares such members', () => {
    for (const member of odd) {
      const bytes = encodePeerMessage({
        type: 'hello',
        hello: { ...whole, clusterId: null, members: [member] },
      });

      expect(kindOf(bytes)).not.toBe('hello');
    }
  });
});

describe('an operator who takes out a member of a name that no new one may have', () => {
  it('is understood by the leader', () => {
    const changes = [{ type: 'remove', id: 'eu/db-4' }] as const;
    const request = { type: 'changeMembers', changes, expectedIndex: null, timeoutMs: 1 } as const;
    const message = { type: 'frames', frames: [{ type: 'forward', group: 0, seq: 1, request }] } as const;

    expect(decodePeerMessage(encodePeerMessage(message))).toEqual(message);
  });
});

describe('bytes that nobody vouches for', () => {
  it('give a value or an error, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(typeof decodePeerMessage(bytes).type).toBe('string');
      }),
      { numRuns: 2_000 },
    );
  });

  it('give a value or an error behind the type of any message and frame', () => {
    const types = Object.values(frameType);
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 200 }), (type, rest) => {
        const framed = new Uint8Array([16, 0, 0, 0, rest.length + 1, type, ...rest]);

        expect(typeof decodePeerMessage(framed).type).toBe('string');
      }),
      { numRuns: 5_000 },
    );
  });

  it('are an error wherever a valid message is cut off', () => {
    for (const [name, message] of Object.entries(samples)) {
      const bytes = encodePeerMessage(message);
      for (let length = 0; length < bytes.byteLength; length++) {
        const decoded = decodePeerMessage(bytes.slice(0, length));
        // Between two frames a cut cannot be seen: there the WebSocket's own length speaks.
        const isWhole = name === 'several' && decoded.type === 'frames';
        expect(isWhole || decoded.type === 'error').toBe(true);
      }
    }
  });

  it('are an error when anything follows a valid message', () => {
    for (const message of Object.values(samples)) {
      expect(kindOf(new Uint8Array([...encodePeerMessage(message), 0]))).toMatch(/trailingBytes|truncated/);
    }
  });

  it('give a value or an error after any bytes of a valid message were changed', () => {
    fc.assert(
      fc.property(
        anyPeerMessage,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (message, changes) => {
          const bytes = encodePeerMessage(message);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;

          const decoded = decodePeerMessage(bytes);

          if (decoded.type === 'error' || decoded.type === 'otherVersion') return;
          expect(encodePeerMessage(decoded)).toEqual(bytes);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never pass a batch with a flipped bit', () => {
    const bytes = encodeFrames([append([batch(10, [new Uint8Array(20)])])]);
    const start = bytes.byteLength - 48 - 24;
    for (let bit = start * 8; bit < bytes.byteLength * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodePeerMessage(flipped).type).toBe('error');
    }
  });

  it('cost no more than their length, however long a list they announce', () => {
    const heartbeat = encodeFrames([append([])]);
    heartbeat.set([0xff, 0xff, 0xff, 0xff], heartbeat.byteLength - 4);
    const reply = encodePeerMessage(samples['replyCommitted'] as PeerMessage);
    reply.set([0xff, 0xff, 0xff, 0xff], 1 + 4 + 1 + 4 + 8 * 4);

    expect(kindOf(heartbeat)).toBe('truncated');
    expect(kindOf(reply)).toBe('tooMany');
  });

  it('are told apart by what is wrong with them', () => {
    const requestVote = encodePeerMessage(samples['requestVote'] as PeerMessage);
    const beyond = requestVote.slice();
    beyond.fill(0xff, 10, 18);
    const vote = encodePeerMessage(samples['requestVoteReply'] as PeerMessage);
    vote[vote.byteLength - 1] = 2;
    const write = encodePeerMessage(samples['forwardWrite'] as PeerMessage);
    write[write.byteLength - 1] = 9;
    const text = encodePeerMessage(samples['replyUnknown'] as PeerMessage);
    text[text.byteLength - 1] = 0xff;

    expect(kindOf(new Uint8Array())).toBe('truncated');
    expect(kindOf(new Uint8Array([99]))).toBe('unknownType');
    expect(kindOf(new Uint8Array([16]))).toBe('truncated');
    expect(kindOf(new Uint8Array([16, 0, 0, 0, 13, 99, ...new Uint8Array(12)]))).toBe('unknownType');
    expect(kindOf(beyond)).toBe('outOfRange');
    expect(kindOf(vote)).toBe('outOfRange');
    expect(kindOf(write)).toBe('badPayload');
    expect(kindOf(text)).toBe('badText');
  });

  it('are refused where a batch belongs to another group than its frame', () => {
    const frame = append([batch(10, [new Uint8Array(1)])]) as Extract<PeerFrame, { type: 'raft' }>;

    expect(kindOf(encodeFrames([{ ...frame, group: 1 }]))).toBe('outOfRange');
  });

  it('never pass a piece of a snapshot with a flipped bit', () => {
    const whole = new Uint8Array(40).fill(7);
    const bytes = encodeFrames([chunk(0, whole)]);
    for (let bit = (bytes.byteLength - 40) * 8; bit < bytes.byteLength * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));

      expect(kindOf(flipped)).toBe('badChunk');
    }
  });

  it('are refused where a piece of a snapshot is too large, or empty and not the last', () => {
    const kindOfLength = (length: number) => kindOf(encodeFrames([chunk(0, new Uint8Array(length))]));

    expect(kindOfLength(0)).toBe('badChunk');
    expect(kindOf(encodeFrames([chunk(0, new Uint8Array(), { isLast: true })]))).toBe('frames');
    expect(kindOfLength(1)).toBe('frames');
    expect(kindOfLength(snapshotChunkBytesMax)).toBe('frames');
    expect(kindOfLength(snapshotChunkBytesMax + 1)).toBe('badChunk');
  });

  it('are refused where there are more bytes of results than there can be', () => {
    const kindWith = (of: { offset: number; length: number; totalBytes: number }) =>
      kindOf(encodeFrames([results(of.offset, new Uint8Array(of.length), of.totalBytes)]));

    expect(kindWith({ offset: 4, length: 6, totalBytes: 10 })).toBe('frames');
    expect(kindWith({ offset: 5, length: 6, totalBytes: 10 })).toBe('outOfRange');
    expect(kindWith({ offset: 0, length: 6, totalBytes: resultsBytesMax })).toBe('frames');
    expect(kindWith({ offset: 0, length: 6, totalBytes: resultsBytesMax + 1 })).toBe('tooMany');
  });

  it('are refused where a transfer has no proper name, index or status', () => {
    const offer = frameOf('snapshotOffer') as SnapshotOfferFrame;
    const ack = encodePeerMessage(samples['snapshotAck'] as PeerMessage);
    ack[ack.byteLength - 1] = 4;

    for (const transferId of ['', 'a b', 'é', 't'.repeat(65)]) {
      expect(kindOf(encodeFrames([{ ...offer, transferId }]))).toBe('outOfRange');
      expect(kindOf(encodeFrames([chunk(0, new Uint8Array(1), { transferId })]))).toBe('outOfRange');
      expect(kindOf(encodeFrames([install({ transferId })]))).toBe('outOfRange');
    }
    expect(kindOf(encodeFrames([{ ...offer, index: 0 }]))).toBe('outOfRange');
    expect(kindOf(ack)).toBe('outOfRange');
  });

  it('are refused where no log can say that of a snapshot', () => {
    const { snapshot } = install().message;
    const { configuration } = snapshot;
    const kindWith = (changes: Partial<typeof snapshot>) =>
      kindOf(encodeFrames([install({ snapshot: { ...snapshot, ...changes } })]));

    expect(kindWith({})).toBe('frames');
    expect(kindWith({ index: index(0), configuration: { ...configuration, index: index(0) } })).toBe(
      'outOfRange',
    );
    expect(kindWith({ term: term(0) })).toBe('outOfRange');
    expect(kindWith({ term: term(5) })).toBe('outOfRange');
    expect(kindWith({ configuration: { ...configuration, index: index(1_001) } })).toBe('outOfRange');
  });

  it('are refused where a configuration is none', () => {
    const { snapshot } = install().message;
    const of = snapshot.configuration.configuration;
    const kindWith = (changes: Partial<typeof of>) => {
      const configuration = { index: index(700), configuration: { ...of, ...changes } };
      return kindOf(encodeFrames([install({ snapshot: { ...snapshot, configuration } })]));
    };
    const longer = encodeFrames([install()]);
    const lengthAt = longer.byteLength - encodeConfiguration(of).byteLength;
    longer[lengthAt + 3] = (longer[lengthAt + 3] as number) + 1;

    expect(kindWith({})).toBe('frames');
    expect(kindWith({ voters: [] })).toBe('badConfiguration');
    expect(kindWith({ voters: [{ id: 'n 1', storeId: 's', url: 'ws://a' }] })).toBe('badConfiguration');
    expect(kindOf(longer)).toBe('badConfiguration');
  });

  it('are refused where changes of members are none, too many or malformed', () => {
    const kindWith = (changes: readonly MemberChange[]) => {
      const frame: ForwardFrame = {
        type: 'forward',
        group: 7,
        seq: 1,
        request: { type: 'changeMembers', changes, expectedIndex: null, timeoutMs: 1 },
      };
      return kindOf(encodeFrames([frame]));
    };
    const remove = (id: string): MemberChange => ({ type: 'remove', id });
    const add = (id: string, storeId: string, url: string): MemberChange => ({
      type: 'add',
      member: { id, storeId, url },
      role: 'voter',
    });
    const unknown = encodePeerMessage(samples['forwardChangeMembersIf'] as PeerMessage);
    unknown[unknown.byteLength - 5] = 5;

    expect(kindWith([remove('n1')])).toBe('frames');
    expect(kindWith([])).toBe('outOfRange');
    expect(kindWith(Array(257).fill(remove('n1')))).toBe('tooMany');
    expect(kindWith([remove('n 1')])).toBe('outOfRange');
    expect(kindWith([add('', 's', 'ws://a')])).toBe('outOfRange');
    expect(kindWith([add('n1', 'sé', 'ws://a')])).toBe('outOfRange');
    expect(kindWith([add('n1', 's', 'http://a')])).toBe('outOfRange');
    expect(kindWith([{ type: 'move', id: 'n1', url: 'a' }])).toBe('outOfRange');
    expect(kindOf(unknown)).toBe('outOfRange');
  });

  it('are refused where a name or a URL is none', () => {
    for (const id of ['', 'n 1', 'n'.repeat(65), 'n/1']) {
      expect(kindOf(encodePeerMessage({ type: 'hello', hello: { ...hello, id } }))).toBe('outOfRange');
    }
    for (const url of ['', 'http://a', 'ws://', 'ws://a b', `ws://${'a'.repeat(600)}`]) {
      const members = [{ id: 'n1', url }];
      expect(
        kindOf(encodePeerMessage({ type: 'hello', hello: { ...hello, clusterId: null, members } })),
      ).toBe('outOfRange');
    }
  });

  it('tell at least their version when another release wrote them', () => {
    const bytes = encodePeerMessage({ type: 'hello', hello: { ...hello, protocolVersion: 9 } }).slice(0, 20);

    expect(decodePeerMessage(bytes)).toEqual({ type: 'otherVersion', protocolVersion: 9 });
  });
});

describe('what is kept of a received message', () => {
  it('does not pin the buffer that it arrived in', () => {
    const names = ['appendEntries', 'forwardWrite', 'replyCommitted', 'replyResults', 'snapshotChunk'];
    for (const name of names) {
      const bytes = encodePeerMessage(samples[name] as PeerMessage);
      const pool = new Uint8Array(65_536);
      pool.set(bytes, 100);

      const decoded = decodePeerMessage(pool.subarray(100, 100 + bytes.byteLength));
      pool.fill(0);

      expect(decoded).toEqual(samples[name]);
      for (const view of viewsIn(decoded)) expect(view.buffer.byteLength).toBeLessThan(1_000);
    }
  });

  it('is the message itself where that is mostly a piece of a snapshot', () => {
    const bytes = encodeFrames([chunk(0, new Uint8Array(100_000))]);

    const decoded = decodePeerMessage(bytes);

    expect(viewsIn(decoded).map((view) => view.buffer === bytes.buffer)).toEqual([true]);
  });

  it('holds the encoded batch in the same small array', () => {
    const first = batch(10, [new Uint8Array(10)]);
    const bytes = encodeFrames([append([first])]);
    const pool = new Uint8Array(65_536);
    pool.set(bytes);

    const decoded = decodePeerMessage(pool.subarray(0, bytes.byteLength)) as unknown as {
      frames: [{ message: { batches: [typeof first] } }];
    };

    expect(encodeBatch(decoded.frames[0].message.batches[0]).buffer.byteLength).toBe(
      encodeBatch(first).byteLength,
    );
  });
});

function frameOf(name: string): PeerFrame {
  return (samples[name] as Extract<PeerMessage, { type: 'frames' }>).frames[0] as PeerFrame;
}

type InstallSnapshot = Extract<Message, { type: 'installSnapshot' }>;

function install(changes: Partial<InstallSnapshot> = {}) {
  const frame = frameOf('installSnapshot') as Extract<PeerFrame, { type: 'raft' }>;
  return { ...frame, message: { ...(frame.message as InstallSnapshot), ...changes } };
}

function viewsIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(viewsIn);
}
