import fc from 'fast-check';
import {
  type AppendEntries,
  type BatchKind,
  type Configuration,
  crc32,
  type EntryBatch,
  encodePayload,
  index,
  type Member,
  type MemberChange,
  type Message,
  term,
} from '../../../src/core/index.ts';
import type { PeerMessage } from '../../../src/transport/message-codec.ts';
import type {
  HandshakeRefusal,
  Hello,
  PeerFrame,
  SnapshotChunkFrame,
} from '../../../src/transport/transport.ts';

/** A batch of group 0 with these entries. */
export function batch(
  first: number,
  entries: readonly Uint8Array[],
  kind: BatchKind = 'command',
): EntryBatch {
  return batchOf({ group: 0, first, term: 2, logTimeMs: 1_500, kind, entries });
}

function batchOf(fields: {
  group: number;
  first: number;
  term: number;
  logTimeMs: number;
  kind: BatchKind;
  entries: readonly Uint8Array[];
}): EntryBatch {
  const payload = encodePayload(fields.entries);
  return {
    group: fields.group,
    index: index(fields.first),
    term: term(fields.term),
    count: fields.entries.length,
    kind: fields.kind,
    logTimeMs: fields.logTimeMs,
    payload,
    payloadChecksum: crc32(payload),
  };
}

/** AppendEntries of group 0 with these batches. */
export function append(batches: readonly EntryBatch[], other: Partial<AppendEntries> = {}): PeerFrame {
  const message: Message = {
    type: 'appendEntries',
    term: term(3),
    prevLogIndex: index(9),
    prevLogTerm: term(2),
    leaderCommit: index(8),
    round: 77,
    isReplyDue: true,
    batches,
    ...other,
  };
  return { type: 'raft', group: 0, message };
}

/** A piece of a snapshot, with its checksum. */
export function chunk(
  number: number,
  bytes: Uint8Array,
  { isLast = false, transferId = 'transfer-1' } = {},
): SnapshotChunkFrame {
  return { type: 'snapshotChunk', group: 7, transferId, number, isLast, bytes, checksum: crc32(bytes) };
}

/** Some of the results of a write that have 10 bytes together. */
export function results(offset: number, bytes: Uint8Array, totalBytes = 10): PeerFrame {
  const reply = { type: 'results', index: 2 ** 40, term: 3, totalBytes, offset, bytes } as const;
  return { type: 'forwardReply', group: 7, bootCounter: 3, seq: 1_000, reply };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const writePayload = encodePayload([utf8('set a'), utf8('')]);

const raft = (message: Message): PeerFrame => ({ type: 'raft', group: 7, message });
const member = (number: number): Member => ({
  id: `n${number}`,
  storeId: `store-${number}`,
  url: `ws://10.0.0.${number}:7101`,
});
const changes: readonly MemberChange[] = [
  { type: 'add', member: member(4), role: 'voter' },
  { type: 'add', member: member(5), role: 'learner' },
  { type: 'remove', id: 'n1' },
  { type: 'promote', id: 'n5' },
  { type: 'demote', id: 'n2' },
  { type: 'move', id: 'n3', url: 'wss://node3.example:7101' },
];
const forwardReply = { type: 'forwardReply', group: 7, bootCounter: 3, seq: 1_000 } as const;

const frames: Readonly<Record<string, PeerFrame>> = {
  preVote: raft({ type: 'preVote', term: term(4), lastLogIndex: index(10), lastLogTerm: term(3) }),
  preVoteReply: raft({ type: 'preVoteReply', term: term(4), voteGranted: true }),
  requestVote: raft({
    type: 'requestVote',
    term: term(4),
    isTransfer: false,
    lastLogIndex: index(2 ** 40),
    lastLogTerm: term(3),
  }),
  requestVoteOfTransfer: raft({
    type: 'requestVote',
    term: term(4),
    isTransfer: true,
    lastLogIndex: index(10),
    lastLogTerm: term(3),
  }),
  requestVoteReply: raft({ type: 'requestVoteReply', term: term(4), voteGranted: false }),
  heartbeat: append([]),
  commitIndex: append([], { isReplyDue: false }),
  appendEntries: append([batch(10, [utf8('one'), utf8('two')]), batch(12, [utf8('')], 'noop')]),
  appendEntriesReply: raft({
    type: 'appendEntriesReply',
    term: term(3),
    success: false,
    matchIndex: index(0),
    round: 77,
    rejectedIndex: index(9),
    hintIndex: index(5),
    hintTerm: term(1),
  }),
  timeoutNow: raft({ type: 'timeoutNow', term: term(4) }),
  installSnapshot: raft({
    type: 'installSnapshot',
    term: term(4),
    transferId: 'transfer-1',
    snapshot: {
      index: index(1_000),
      term: term(3),
      logTimeMs: 90_000,
      configuration: {
        index: index(700),
        configuration: {
          voters: [member(1), member(2)],
          votersOutgoing: [member(1)],
          learners: [{ ...member(3), willVote: true }],
        },
      },
    },
  }),
  forwardWrite: {
    type: 'forward',
    group: 7,
    seq: 1_000,
    request: {
      type: 'write',
      payload: writePayload,
      payloadChecksum: crc32(writePayload),
      count: 2,
      timeoutMs: 5_000,
    },
  },
  forwardReadIndex: {
    type: 'forward',
    group: 7,
    seq: 1_001,
    request: { type: 'readIndex', timeoutMs: 5_000 },
  },
  forwardChangeMembers: {
    type: 'forward',
    group: 7,
    seq: 1_002,
    request: { type: 'changeMembers', changes, expectedIndex: null, timeoutMs: 5_000 },
  },
  forwardChangeMembersIf: {
    type: 'forward',
    group: 7,
    seq: 1_003,
    request: {
      type: 'changeMembers',
      changes: [{ type: 'remove', id: 'n1' }],
      expectedIndex: 700,
      timeoutMs: 5_000,
    },
  },
  forwardTransferLeadership: {
    type: 'forward',
    group: 7,
    seq: 1_004,
    request: { type: 'transferLeadership', to: 'n2', timeoutMs: 5_000 },
  },
  forwardTransferToAnyone: {
    type: 'forward',
    group: 7,
    seq: 1_005,
    request: { type: 'transferLeadership', to: null, timeoutMs: 5_000 },
  },
  replyCommitted: {
    ...forwardReply,
    reply: { type: 'committed', index: 11, term: 3, results: [utf8('ok'), utf8('')] },
  },
  replyReadIndex: { ...forwardReply, reply: { type: 'readIndex', index: 11 } },
  replyDone: { ...forwardReply, reply: { type: 'done' } },
  replyNotCommitted: {
    ...forwardReply,
    reply: { type: 'notCommitted', code: 'RAFT_NOT_LEADER', message: 'n2 leads – ask there', leaderId: 'n2' },
  },
  replyNoLeader: {
    ...forwardReply,
    reply: { type: 'notCommitted', code: 'RAFT_NO_LEADER', message: 'nobody leads', leaderId: null },
  },
  replyUnknown: {
    ...forwardReply,
    reply: { type: 'unknown', code: 'RAFT_TIMEOUT', message: 'no answer in time' },
  },
  snapshotOffer: { type: 'snapshotOffer', group: 7, transferId: 'transfer-1', index: 1_000 },
  snapshotChunk: chunk(0, utf8('one')),
  snapshotLastChunk: chunk(1, utf8('two'), { isLast: true }),
  snapshotAck: {
    type: 'snapshotAck',
    group: 7,
    transferId: 'transfer-1',
    nextChunk: 1,
    status: 'receiving',
  },
  snapshotComplete: {
    type: 'snapshotAck',
    group: 7,
    transferId: 'transfer-1',
    nextChunk: 2,
    status: 'complete',
  },
  snapshotRefused: {
    type: 'snapshotAck',
    group: 7,
    transferId: 'transfer-1',
    nextChunk: 0,
    status: 'refused',
  },
  found: {
    type: 'found',
    clusterId: 'cluster-1',
    voters: [
      { id: 'n1', storeId: 'store-1', url: 'ws://10.0.0.1:7101' },
      { id: 'n2', storeId: 'store-2', url: 'ws://10.0.0.2:7101' },
    ],
  },
  foundAck: { type: 'foundAck', clusterId: 'cluster-1' },
};

/** How a node of these tests introduces itself. */
export const hello: Hello = {
  protocolVersion: 1,
  clusterId: 'cluster-1',
  id: 'n1',
  storeId: 'store-1',
  bootCounter: 3,
  members: [
    { id: 'n1', url: 'ws://10.0.0.1:7101' },
    { id: 'n2', url: 'ws://10.0.0.2:7101' },
  ],
};

/** One message of every kind, by name. */
export const samples: Readonly<Record<string, PeerMessage>> = {
  hello: { type: 'hello', hello },
  helloWithoutCluster: { type: 'hello', hello: { ...hello, clusterId: null, members: [] } },
  ready: { type: 'ready' },
  refusal: { type: 'refusal', refusal: { code: 'wipedStore', reason: 'run `rxraft remove n2`' } },
  ...Object.fromEntries(
    Object.entries(frames).map(([name, frame]) => [name, { type: 'frames', frames: [frame] }]),
  ),
  several: { type: 'frames', frames: Object.values(frames) },
  snapshotMalformed: {
    type: 'frames',
    frames: [{ type: 'snapshotAck', group: 7, transferId: 'transfer-1', nextChunk: 0, status: 'malformed' }],
  },
  replyResultsAnnounced: { type: 'frames', frames: [results(0, new Uint8Array(0))] },
  replyResults: { type: 'frames', frames: [results(4, utf8('some'))] },
};

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u53 = fc.maxSafeNat();
const anyTerm = u53.map(term);
const anyIndex = u53.map(index);
const nodeId = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
/** Of a member from before names had a rule, too. */
const memberId = fc.oneof(nodeId, fc.stringMatching(/^[\x21-\x7e]{1,512}$/));
const opaqueId = fc.stringMatching(/^[\x21-\x7e]{1,128}$/);
const transferId = fc.stringMatching(/^[\x21-\x7e]{1,64}$/);
const url = fc
  .webAuthority()
  .map((authority) => `ws://${authority}`)
  .filter((text) => /^[\x21-\x7e]{1,512}$/.test(text));
const text = fc.string({ unit: 'binary', maxLength: 60 });
const bytes = fc.uint8Array({ maxLength: 50 });

const anyBatch = (group: number): fc.Arbitrary<EntryBatch> =>
  fc
    .record({
      group: fc.constant(group),
      first: fc.integer({ min: 1, max: 2 ** 50 }),
      term: fc.integer({ min: 1, max: 2 ** 50 }),
      logTimeMs: u53,
      kind: fc.constantFrom<BatchKind>('noop', 'command', 'configuration'),
      entries: fc.array(bytes, { minLength: 1, maxLength: 5 }),
    })
    .map(batchOf);

const anyMember: fc.Arbitrary<Member> = fc.record({ id: nodeId, storeId: opaqueId, url });
const anyConfigured: fc.Arbitrary<Member> = fc
  .tuple(anyMember, fc.boolean())
  .map(([of, willVote]) => (willVote ? { ...of, willVote } : of));
const anyConfiguration: fc.Arbitrary<Configuration> = fc.record({
  voters: fc.array(anyConfigured, { minLength: 1, maxLength: 3 }),
  votersOutgoing: fc.array(anyConfigured, { maxLength: 2 }),
  learners: fc.array(anyConfigured, { maxLength: 2 }),
});

const anyInstallSnapshot: fc.Arbitrary<Message> = fc
  .record({
    term: fc.tuple(fc.integer({ min: 1, max: 2 ** 50 }), fc.nat()),
    index: fc.tuple(fc.integer({ min: 1, max: 2 ** 50 }), fc.nat()),
    logTimeMs: u53,
    transferId,
    configuration: anyConfiguration,
  })
  .map((of) => ({
    type: 'installSnapshot',
    term: term(of.term[0] + of.term[1]),
    transferId: of.transferId,
    snapshot: {
      index: index(of.index[0] + of.index[1]),
      term: term(of.term[0]),
      logTimeMs: of.logTimeMs,
      configuration: { index: index(of.index[0]), configuration: of.configuration },
    },
  }));

const anyMessage = (group: number): fc.Arbitrary<Message> =>
  fc.oneof(
    fc.record({
      type: fc.constant('preVote' as const),
      term: anyTerm,
      lastLogIndex: anyIndex,
      lastLogTerm: anyTerm,
    }),
    fc.record({
      type: fc.constant('requestVote' as const),
      term: anyTerm,
      isTransfer: fc.boolean(),
      lastLogIndex: anyIndex,
      lastLogTerm: anyTerm,
    }),
    fc.record({ type: fc.constant('timeoutNow' as const), term: anyTerm }),
    anyInstallSnapshot,
    ...(['preVoteReply', 'requestVoteReply'] as const).map((type) =>
      fc.record({ type: fc.constant(type), term: anyTerm, voteGranted: fc.boolean() }),
    ),
    fc.record({
      type: fc.constant('appendEntries' as const),
      term: anyTerm,
      prevLogIndex: anyIndex,
      prevLogTerm: anyTerm,
      leaderCommit: anyIndex,
      round: u53,
      isReplyDue: fc.boolean(),
      batches: fc.array(anyBatch(group), { maxLength: 4 }),
    }),
    fc.record({
      type: fc.constant('appendEntriesReply' as const),
      term: anyTerm,
      success: fc.boolean(),
      matchIndex: anyIndex,
      round: u53,
      rejectedIndex: anyIndex,
      hintIndex: anyIndex,
      hintTerm: anyTerm,
    }),
  ) as fc.Arbitrary<Message>;

const anyRaft = u32.chain((group) =>
  anyMessage(group).map((message): PeerFrame => ({ type: 'raft', group, message })),
);

const anyWrite = fc
  .record({ entries: fc.array(bytes, { minLength: 1, maxLength: 5 }), timeoutMs: u32 })
  .map(({ entries, timeoutMs }) => {
    const payload = encodePayload(entries);
    return {
      type: 'write' as const,
      payload,
      payloadChecksum: crc32(payload),
      count: entries.length,
      timeoutMs,
    };
  });

const anyChange: fc.Arbitrary<MemberChange> = fc.oneof(
  fc.record({
    type: fc.constant('add' as const),
    member: anyMember,
    role: fc.constantFrom('voter' as const, 'learner' as const),
  }),
  ...(['remove', 'promote', 'demote'] as const).map((type) =>
    fc.record({ type: fc.constant(type), id: memberId }),
  ),
  fc.record({ type: fc.constant('move' as const), id: memberId, url }),
) as fc.Arbitrary<MemberChange>;

const anyForward: fc.Arbitrary<PeerFrame> = fc.record({
  type: fc.constant('forward' as const),
  group: u32,
  seq: u53,
  request: fc.oneof(
    anyWrite,
    fc.record({ type: fc.constant('readIndex' as const), timeoutMs: u32 }),
    fc.record({
      type: fc.constant('changeMembers' as const),
      changes: fc.array(anyChange, { minLength: 1, maxLength: 5 }),
      expectedIndex: fc.option(u53, { nil: null }),
      timeoutMs: u32,
    }),
    fc.record({
      type: fc.constant('transferLeadership' as const),
      to: fc.option(memberId, { nil: null }),
      timeoutMs: u32,
    }),
  ),
});

const anyForwardReply: fc.Arbitrary<PeerFrame> = fc.record({
  type: fc.constant('forwardReply' as const),
  group: u32,
  bootCounter: u53,
  seq: u53,
  reply: fc.oneof(
    fc.record({ type: fc.constant('committed' as const), index: u53, term: u53, results: fc.array(bytes) }),
    fc
      .record({ index: u53, term: u53, offset: fc.nat(1_000), rest: fc.nat(1_000), bytes })
      .map(({ rest, ...of }) => ({
        type: 'results' as const,
        totalBytes: of.offset + of.bytes.length + rest,
        ...of,
      })),
    fc.record({ type: fc.constant('readIndex' as const), index: u53 }),
    fc.record({ type: fc.constant('done' as const) }),
    fc.record({
      type: fc.constant('notCommitted' as const),
      code: text,
      message: text,
      leaderId: fc.option(nodeId, { nil: null }),
    }),
    fc.record({ type: fc.constant('unknown' as const), code: text, message: text }),
  ),
});

const anyFound: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc.record({
    type: fc.constant('found' as const),
    clusterId: opaqueId,
    voters: fc.array(fc.record({ id: nodeId, storeId: opaqueId, url }), { maxLength: 5 }),
  }),
  fc.record({ type: fc.constant('foundAck' as const), clusterId: opaqueId }),
);

const anySnapshotFrame: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc.record({
    type: fc.constant('snapshotOffer' as const),
    group: u32,
    transferId,
    index: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  }),
  fc
    .record({
      type: fc.constant('snapshotChunk' as const),
      group: u32,
      transferId,
      number: u53,
      isLast: fc.boolean(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    })
    .map((of) => ({ ...of, checksum: crc32(of.bytes) })),
  fc.record({
    type: fc.constant('snapshotAck' as const),
    group: u32,
    transferId,
    nextChunk: u53,
    status: fc.constantFrom(
      'receiving' as const,
      'complete' as const,
      'refused' as const,
      'malformed' as const,
    ),
  }),
);

const anyHello: fc.Arbitrary<Hello> = fc.record({
  protocolVersion: fc.constant(1),
  clusterId: fc.option(opaqueId, { nil: null }),
  id: nodeId,
  storeId: opaqueId,
  bootCounter: u53,
  members: fc.array(fc.record({ id: nodeId, url }), { maxLength: 5 }),
});

const anyRefusal: fc.Arbitrary<HandshakeRefusal> = fc.record({
  code: fc.constantFrom(
    'protocolVersion' as const,
    'otherCluster' as const,
    'otherMembers' as const,
    'wipedStore' as const,
    'notAMember' as const,
    'notTheNodeDialed' as const,
    'unauthenticated' as const,
    'nameInUse' as const,
  ),
  reason: text,
});

/** Any message that can be sent. */
export const anyPeerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  anyHello.map((of): PeerMessage => ({ type: 'hello', hello: of })),
  anyRefusal.map((refusal): PeerMessage => ({ type: 'refusal', refusal })),
  fc.constant<PeerMessage>({ type: 'ready' }),
  fc
    .array(fc.oneof(anyRaft, anyForward, anyForwardReply, anySnapshotFrame, anyFound), {
      minLength: 1,
      maxLength: 4,
    })
    .map((list): PeerMessage => ({ type: 'frames', frames: list })),
);
