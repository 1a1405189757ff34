import type { Crc32, Message } from '../core/index.ts';
import {
  crc32,
  decodeBatch,
  type EntryBatch,
  encodeBatch,
  type GroupId,
  type Index,
  isPayload,
  type Term,
  unreachable,
} from '../core/index.ts';
import { type ByteReader, detached } from './byte-reader.ts';
import type { ByteSink } from './byte-writer.ts';
import {
  brief,
  membersMax,
  readNodeId,
  readOpaqueId,
  readOptional,
  readUrl,
  textBytesMax,
  writeOptional,
} from './handshake-codec.ts';
import type { ForwardFrame, ForwardReplyFrame, FoundFrame, PeerFrame } from './transport.ts';

/** The most results that one `forwardReply` may carry. */
export const resultsMax = 262_144;

const codeBytesMax = 256;
/** The bytes of the smallest batch: a header and one empty entry. */
const batchBytesMin = 52;

/**
 * The first byte of a frame. All but `found` and `foundAck` go on with a u32 group; then come the fields in
 * the order written below, terms, indexes and sequences as u64, flags as a u8, texts with a u16 length,
 * other bytes with a u32 length.
 */
const frameType = {
  preVote: 1,
  preVoteReply: 2,
  requestVote: 3,
  requestVoteReply: 4,
  appendEntries: 5,
  appendEntriesReply: 6,
  forwardWrite: 32,
  forwardReadIndex: 33,
  replyCommitted: 34,
  replyReadIndex: 35,
  replyNotCommitted: 36,
  replyUnknown: 37,
  found: 64,
  foundAck: 65,
} as const;

/** Whether a frame carries entries to a follower: what a full buffer drops first, since Raft sends it again. */
export function isBulk(frame: PeerFrame): boolean {
  return frame.type === 'raft' && frame.message.type === 'appendEntries' && frame.message.batches.length > 0;
}

/** Writes one frame. */
export function writeFrame(sink: ByteSink, frame: PeerFrame): void {
  switch (frame.type) {
    case 'raft':
      return writeMessage(sink, frame.group, frame.message);
    case 'forward':
      return writeForward(sink, frame);
    case 'forwardReply':
      return writeForwardReply(sink, frame);
    case 'found':
      return writeFound(sink, frame);
    case 'foundAck':
      sink.u8(frameType.foundAck);
      return sink.string(frame.clusterId);
    default:
      return unreachable(frame);
  }
}

function writeMessage(sink: ByteSink, group: GroupId, message: Message): void {
  sink.u8(frameType[message.type]);
  sink.u32(group);
  sink.u53(message.term);
  switch (message.type) {
    case 'preVote':
    case 'requestVote':
      sink.u53(message.lastLogIndex);
      return sink.u53(message.lastLogTerm);
    case 'preVoteReply':
    case 'requestVoteReply':
      return sink.u8(message.voteGranted ? 1 : 0);
    case 'appendEntries':
      sink.u53(message.prevLogIndex);
      sink.u53(message.prevLogTerm);
      sink.u53(message.leaderCommit);
      sink.u53(message.round);
      return writeBatches(sink, message.batches);
    case 'appendEntriesReply':
      sink.u8(message.success ? 1 : 0);
      sink.u53(message.matchIndex);
      sink.u53(message.round);
      sink.u53(message.rejectedIndex);
      sink.u53(message.hintIndex);
      return sink.u53(message.hintTerm);
    default:
      return unreachable(message);
  }
}

/** The bytes that went to the leader's disk, as they are, one batch behind the other. */
function writeBatches(sink: ByteSink, batches: readonly EntryBatch[]): void {
  sink.u32(batches.length);
  for (const batch of batches) sink.raw(encodeBatch(batch));
}

function writeForward(sink: ByteSink, { group, seq, request }: ForwardFrame): void {
  sink.u8(request.type === 'write' ? frameType.forwardWrite : frameType.forwardReadIndex);
  sink.u32(group);
  sink.u53(seq);
  sink.u32(wholeMs(request.timeoutMs));
  if (request.type !== 'write') return;
  sink.u32(request.count);
  sink.u32(request.payloadChecksum);
  writeBytes(sink, request.payload);
}

function writeForwardReply(sink: ByteSink, { group, bootCounter, seq, reply }: ForwardReplyFrame): void {
  const head = (type: number): void => {
    sink.u8(type);
    sink.u32(group);
    sink.u53(bootCounter);
    sink.u53(seq);
  };
  switch (reply.type) {
    case 'committed':
      head(frameType.replyCommitted);
      sink.u53(reply.index);
      sink.u53(reply.term);
      sink.u32(reply.results.length);
      for (const result of reply.results) writeBytes(sink, result);
      return;
    case 'readIndex':
      head(frameType.replyReadIndex);
      return sink.u53(reply.index);
    case 'notCommitted':
      head(frameType.replyNotCommitted);
      writeError(sink, reply);
      return writeOptional(sink, reply.leaderId);
    case 'unknown':
      head(frameType.replyUnknown);
      return writeError(sink, reply);
    default:
      return unreachable(reply);
  }
}

function writeFound(sink: ByteSink, { clusterId, voters }: FoundFrame): void {
  sink.u8(frameType.found);
  sink.string(clusterId);
  sink.u16(voters.length);
  for (const voter of voters) {
    sink.string(voter.id);
    sink.string(voter.storeId);
    sink.string(voter.url);
  }
}

function writeError(sink: ByteSink, { code, message }: { code: string; message: string }): void {
  sink.string(brief(code, codeBytesMax));
  sink.string(brief(message, textBytesMax));
}

function writeBytes(sink: ByteSink, bytes: Uint8Array): void {
  sink.u32(bytes.byteLength);
  sink.raw(bytes);
}

/** A duration as a u32: rounded up, at most 49 days. */
function wholeMs(durationMs: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.ceil(durationMs)));
}

/**
 * Reads one frame, up to the end of the reader's limit. Every field is checked; what a frame means, and
 * whether batches follow each other, is for the core to check.
 */
export function readFrame(reader: ByteReader, checksum: Crc32 = crc32): PeerFrame | undefined {
  const type = reader.u8();
  switch (type) {
    case frameType.found:
      return { type: 'found', clusterId: readOpaqueId(reader), voters: readVoters(reader) };
    case frameType.foundAck:
      return { type: 'foundAck', clusterId: readOpaqueId(reader) };
    case frameType.forwardWrite:
    case frameType.forwardReadIndex:
      return readForward(reader, { isWrite: type === frameType.forwardWrite, checksum });
    case frameType.replyCommitted:
    case frameType.replyReadIndex:
    case frameType.replyNotCommitted:
    case frameType.replyUnknown:
      return readForwardReply(reader, type);
    default:
      return readRaft(reader, { type, checksum });
  }
}

function readRaft(
  reader: ByteReader,
  { type, checksum }: { type: number; checksum: Crc32 },
): PeerFrame | undefined {
  const group = reader.u32();
  const message = readMessage(reader, { type, group, checksum });
  return message === undefined ? undefined : { type: 'raft', group, message };
}

function readMessage(
  reader: ByteReader,
  { type, group, checksum }: { type: number; group: GroupId; checksum: Crc32 },
): Message | undefined {
  const term = readTerm(reader);
  switch (type) {
    case frameType.preVote:
      return { type: 'preVote', term, lastLogIndex: readIndex(reader), lastLogTerm: readTerm(reader) };
    case frameType.preVoteReply:
      return { type: 'preVoteReply', term, voteGranted: reader.bool() };
    case frameType.requestVote:
      return { type: 'requestVote', term, lastLogIndex: readIndex(reader), lastLogTerm: readTerm(reader) };
    case frameType.requestVoteReply:
      return { type: 'requestVoteReply', term, voteGranted: reader.bool() };
    case frameType.appendEntries:
      return {
        type: 'appendEntries',
        term,
        prevLogIndex: readIndex(reader),
        prevLogTerm: readTerm(reader),
        leaderCommit: readIndex(reader),
        round: reader.u53(),
        batches: readBatches(reader, { group, checksum }),
      };
    case frameType.appendEntriesReply:
      return {
        type: 'appendEntriesReply',
        term,
        success: reader.bool(),
        matchIndex: readIndex(reader),
        round: reader.u53(),
        rejectedIndex: readIndex(reader),
        hintIndex: readIndex(reader),
        hintTerm: readTerm(reader),
      };
    default:
      reader.fail('unknownType', `frames of type ${type} are unknown`);
      return undefined;
  }
}

/** Batches keep the bytes they came as, apart from the socket's buffer, and together in one array. */
function readBatches(
  reader: ByteReader,
  { group, checksum }: { group: GroupId; checksum: Crc32 },
): readonly EntryBatch[] {
  const count = reader.count(reader.u32(), { countMax: 0xffff_ffff, itemBytesMin: batchBytesMin });
  const batches: EntryBatch[] = [];
  if (count === 0) return batches;
  const bytes = detached(reader.raw(reader.remaining));
  let at = 0;
  for (let place = 0; place < count; place++) {
    const decoded = decodeBatch(bytes, at, checksum);
    if (decoded.type === 'error') {
      reader.fail('badBatch', `batch ${place} of ${count}: ${decoded.kind}`);
      return [];
    }
    if (decoded.batch.group !== group)
      reader.fail('outOfRange', `a batch is of group ${decoded.batch.group}`);
    batches.push(decoded.batch);
    at = decoded.end;
  }
  if (at < bytes.byteLength)
    reader.fail('trailingBytes', `${bytes.byteLength - at} bytes behind the last batch`);
  return batches;
}

function readForward(
  reader: ByteReader,
  { isWrite, checksum }: { isWrite: boolean; checksum: Crc32 },
): ForwardFrame | undefined {
  const group = reader.u32();
  const seq = reader.u53();
  const timeoutMs = reader.u32();
  if (!isWrite) return { type: 'forward', group, seq, request: { type: 'readIndex', timeoutMs } };
  const count = reader.u32();
  const payloadChecksum = reader.u32();
  const payload = detached(reader.raw(reader.u32()));
  if (reader.error !== null) return undefined;
  const isSound = count >= 1 && checksum(payload) === payloadChecksum && isPayload(payload, count);
  if (!isSound)
    reader.fail('badPayload', `${payload.byteLength} bytes are not ${count} commands with that checksum`);
  return {
    type: 'forward',
    group,
    seq,
    request: { type: 'write', payload, payloadChecksum, count, timeoutMs },
  };
}

function readForwardReply(reader: ByteReader, type: number): ForwardReplyFrame {
  const group = reader.u32();
  const bootCounter = reader.u53();
  const seq = reader.u53();
  return { type: 'forwardReply', group, bootCounter, seq, reply: readReply(reader, type) };
}

function readReply(reader: ByteReader, type: number): ForwardReplyFrame['reply'] {
  switch (type) {
    case frameType.replyCommitted:
      return { type: 'committed', index: reader.u53(), term: reader.u53(), results: readResults(reader) };
    case frameType.replyReadIndex:
      return { type: 'readIndex', index: reader.u53() };
    case frameType.replyNotCommitted:
      return { type: 'notCommitted', ...readError(reader), leaderId: readOptional(reader, readNodeId) };
    default:
      return { type: 'unknown', ...readError(reader) };
  }
}

/** Results share one array, apart from the socket's buffer. */
function readResults(reader: ByteReader): readonly Uint8Array[] {
  const count = reader.count(reader.u32(), { countMax: resultsMax, itemBytesMin: 4 });
  const results: Uint8Array[] = [];
  for (let place = 0; place < count; place++) results.push(reader.raw(reader.u32()));
  return reader.error === null ? apart(results) : [];
}

/** Copies views that follow each other in a larger buffer into one array of their own. */
function apart(views: readonly Uint8Array[]): readonly Uint8Array[] {
  let length = 0;
  for (const view of views) length += view.byteLength;
  const pinnedBytes = views[0]?.buffer.byteLength ?? 0;
  if (length * 2 >= pinnedBytes) return views;
  const bytes = new Uint8Array(length);
  let at = 0;
  return views.map((view) => {
    const start = at;
    bytes.set(view, start);
    at += view.byteLength;
    return bytes.subarray(start, at);
  });
}

function readError(reader: ByteReader): { code: string; message: string } {
  return { code: reader.text(codeBytesMax), message: reader.text(textBytesMax) };
}

function readVoters(reader: ByteReader): FoundFrame['voters'] {
  const count = reader.count(reader.u16(), { countMax: membersMax, itemBytesMin: 6 });
  const voters: FoundFrame['voters'][number][] = [];
  for (let place = 0; place < count; place++) {
    voters.push({ id: readNodeId(reader), storeId: readOpaqueId(reader), url: readUrl(reader) });
  }
  return voters;
}

function readTerm(reader: ByteReader): Term {
  return reader.u53() as Term;
}

function readIndex(reader: ByteReader): Index {
  return reader.u53() as Index;
}
