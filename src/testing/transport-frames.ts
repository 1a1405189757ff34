import {
  type BatchKind,
  crc32,
  type EntryBatch,
  encodePayload,
  index,
  type Member,
  type Message,
  term,
} from '../core/index.ts';
import type { FoundAckFrame, PeerFrame, SnapshotChunkFrame } from '../transport/transport.ts';

/** The smallest frame, told from others by its text. */
export function ackOf(clusterId: string): FoundAckFrame {
  return { type: 'foundAck', clusterId: clusterId.replaceAll(' ', '-') };
}

/** A piece of a snapshot that is like no other piece. */
export function pieceOf(number: number): SnapshotChunkFrame {
  pattern ??= bytesOf(pieceBytes + 256 * piecesMax, 0);
  const bytes = pattern.slice(256 * number, 256 * number + pieceBytes); // As `bytesOf` makes it of this number.
  return chunkOf({ number, isLast: false, bytes });
}

const pieceBytes = 256 * 1024;

/** As many pieces of a snapshot as no transport takes at once. */
export const piecesMax = 100;

/** What pieces are cut from. Of hundreds of them, to make the bytes one by one takes longer than to send them. */
let pattern: Uint8Array | undefined;

/** One frame of every type, with every message, request and answer that there is. */
export function everyFrame(): readonly PeerFrame[] {
  return Object.values(frames()).flat();
}

/** What a frame is, such as `raft appendEntries`. */
export function kindOf(frame: PeerFrame): string {
  switch (frame.type) {
    case 'raft':
      return `raft ${frame.message.type}`;
    case 'forward':
      return `forward ${frame.request.type}`;
    case 'forwardReply':
      return `forwardReply ${frame.reply.type}`;
    default:
      return frame.type;
  }
}

/** One list for every member of a union: with a new one this does not compile until there are samples of it. */
type ByType<Of extends { readonly type: string }> = {
  readonly [Type in Of['type']]: readonly Extract<Of, { readonly type: Type }>[];
};
type RequestOf<Type extends PeerFrame['type']> = Extract<PeerFrame, { type: Type }>;

const group = 7;
/** Needs more than 32 bits. */
const large = 2 ** 40;
const transferId = 'transfer-1';

function frames(): ByType<PeerFrame> {
  return {
    raft: Object.values(messages()).flatMap((of) =>
      of.map((message) => ({ type: 'raft', group, message }) as const),
    ),
    forward: Object.values(requests())
      .flat()
      .map((request, at) => ({ type: 'forward', group, seq: large + at, request }) as const),
    forwardReply: Object.values(replies())
      .flat()
      .map((reply, at) => ({ type: 'forwardReply', group, bootCounter: 3, seq: large + at, reply }) as const),
    found: [{ type: 'found', clusterId: 'cluster-1', voters: [member(1), member(2), member(3)] }],
    foundAck: [ackOf('cluster-1')],
    snapshotOffer: [{ type: 'snapshotOffer', group, transferId, index: large }],
    snapshotChunk: [
      chunkOf({ number: 0, isLast: false, bytes: bytesOf(100_000, 1) }),
      chunkOf({ number: 1, isLast: true, bytes: new Uint8Array(0) }),
    ],
    snapshotAck: (['receiving', 'complete', 'refused', 'malformed'] as const).map(
      (status, nextChunk) => ({ type: 'snapshotAck', group, transferId, nextChunk, status }) as const,
    ),
  };
}

function messages(): ByType<Message> {
  const last = { lastLogIndex: index(large), lastLogTerm: term(3) };
  const append = {
    type: 'appendEntries',
    term: term(4),
    prevLogIndex: index(9),
    prevLogTerm: term(2),
    leaderCommit: index(8),
  } as const;
  const snapshot = { index: index(large), term: term(3), logTimeMs: 90_000 };
  const configuration = {
    voters: [member(1), member(2)],
    votersOutgoing: [member(1)],
    learners: [{ ...member(3), willVote: true }],
  } as const;
  return {
    preVote: [{ type: 'preVote', term: term(4), ...last }],
    preVoteReply: [{ type: 'preVoteReply', term: term(4), voteGranted: true }],
    requestVote: [{ type: 'requestVote', term: term(4), isTransfer: true, ...last }],
    requestVoteReply: [{ type: 'requestVoteReply', term: term(4), voteGranted: false }],
    appendEntries: [
      { ...append, round: 77, isReplyDue: true, batches: [] },
      { ...append, round: 77, isReplyDue: false, batches: [] },
      {
        ...append,
        round: 78,
        isReplyDue: true,
        batches: [
          batchOf(10, 'command', [bytesOf(256, 0), new Uint8Array(0)]),
          batchOf(12, 'noop', [bytesOf(0, 0)]),
        ],
      },
      { ...append, round: 79, isReplyDue: true, batches: [batchOf(10, 'command', [bytesOf(100_000, 2)])] },
    ],
    appendEntriesReply: [
      {
        type: 'appendEntriesReply',
        term: term(4),
        success: false,
        matchIndex: index(0),
        round: 77,
        rejectedIndex: index(9),
        hintIndex: index(5),
        hintTerm: term(1),
      },
    ],
    timeoutNow: [{ type: 'timeoutNow', term: term(4) }],
    installSnapshot: [
      {
        type: 'installSnapshot',
        term: term(4),
        transferId,
        snapshot: { ...snapshot, configuration: { index: index(700), configuration } },
      },
    ],
  };
}

function requests(): ByType<RequestOf<'forward'>['request']> {
  const payload = encodePayload([bytesOf(256, 3), new Uint8Array(0)]);
  const timeoutMs = 5_000;
  return {
    write: [{ type: 'write', payload, payloadChecksum: crc32(payload), count: 2, timeoutMs }],
    readIndex: [{ type: 'readIndex', timeoutMs }],
    changeMembers: [
      {
        type: 'changeMembers',
        changes: [
          { type: 'add', member: member(4), role: 'voter' },
          { type: 'add', member: member(5), role: 'learner' },
          { type: 'remove', id: 'n1' },
          { type: 'promote', id: 'n5' },
          { type: 'demote', id: 'n2' },
          { type: 'move', id: 'n3', url: 'ws://127.0.0.1:7109' },
        ],
        expectedIndex: large,
        timeoutMs,
      },
      { type: 'changeMembers', changes: [{ type: 'remove', id: 'n1' }], expectedIndex: null, timeoutMs },
    ],
    transferLeadership: [
      { type: 'transferLeadership', to: 'n2', timeoutMs },
      { type: 'transferLeadership', to: null, timeoutMs },
    ],
  };
}

function replies(): ByType<RequestOf<'forwardReply'>['reply']> {
  const results = [bytesOf(256, 4), new Uint8Array(0), bytesOf(3, 5)];
  return {
    committed: [{ type: 'committed', index: large, term: 3, results }],
    results: [
      { type: 'results', index: large, term: 3, totalBytes: 100_000, offset: 0, bytes: new Uint8Array(0) },
      { type: 'results', index: large, term: 3, totalBytes: 100_000, offset: 256, bytes: bytesOf(99_744, 6) },
    ],
    readIndex: [{ type: 'readIndex', index: large }],
    done: [{ type: 'done' }],
    notCommitted: [
      { type: 'notCommitted', code: 'RAFT_NOT_LEADER', message: 'n2 leads – ask there', leaderId: 'n2' },
      { type: 'notCommitted', code: 'RAFT_NO_LEADER', message: 'nobody leads', leaderId: null },
    ],
    unknown: [{ type: 'unknown', code: 'RAFT_TIMEOUT', message: 'no answer in time' }],
  };
}

function chunkOf(of: Pick<SnapshotChunkFrame, 'number' | 'isLast' | 'bytes'>): SnapshotChunkFrame {
  return { type: 'snapshotChunk', group, transferId, checksum: crc32(of.bytes), ...of };
}

function batchOf(first: number, kind: BatchKind, entries: readonly Uint8Array[]): EntryBatch {
  const payload = encodePayload(entries);
  return {
    group,
    index: index(first),
    term: term(3),
    count: entries.length,
    kind,
    logTimeMs: 1_500,
    payload,
    payloadChecksum: crc32(payload),
  };
}

function member(number: number): Member {
  return { id: `n${number}`, storeId: `store-${number}`, url: `ws://127.0.0.1:710${number}` };
}

/** Every value of a byte, again and again: no text survives that. */
function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = at + (at >> 8) + seed;
  return bytes;
}
