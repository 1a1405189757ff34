import {
  type Crc32,
  decodeBatch,
  decodeConfiguration,
  type EntryBatch,
  encodeConfiguration,
  encodedBytesOf,
  type GroupId,
  type Index,
  isPayload,
  type Message,
  type SnapshotMeta,
  type Term,
  unreachable,
} from '../core/index.ts';
import { type ByteReader, detached } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { frameType } from './frame-type.ts';
import { readTransferId } from './handshake-codec.ts';
import type { RaftFrame } from './transport.ts';

/** The bytes of the smallest batch: a header and one empty entry. */
const batchBytesMin = 52;

/** The bytes of a message's type, group and term. */
const headBytes = 13;

/** How many bytes {@link writeRaft} writes, told without writing; `null` where that is not told so easily, and seldom asked. */
export function raftBytes({ message }: RaftFrame): number | null {
  switch (message.type) {
    case 'appendEntries':
      return headBytes + 37 + encodedBytesOf(message.batches);
    case 'appendEntriesReply':
      return headBytes + 41;
    default:
      return null;
  }
}

/** Writes a message between cores. */
export function writeRaft(writer: ByteWriter, { group, message }: RaftFrame): void {
  writer.u8(frameType[message.type]);
  writer.u32(group);
  writer.u53(message.term);
  switch (message.type) {
    case 'requestVote':
      writer.bool(message.isTransfer);
      writer.u53(message.lastLogIndex);
      return writer.u53(message.lastLogTerm);
    case 'preVote':
      writer.u53(message.lastLogIndex);
      return writer.u53(message.lastLogTerm);
    case 'preVoteReply':
    case 'requestVoteReply':
      return writer.bool(message.voteGranted);
    case 'appendEntries':
      writer.u53(message.prevLogIndex);
      writer.u53(message.prevLogTerm);
      writer.u53(message.leaderCommit);
      writer.u53(message.round);
      writer.bool(message.isReplyDue);
      return writeBatches(writer, message.batches);
    case 'appendEntriesReply':
      writer.bool(message.success);
      writer.u53(message.matchIndex);
      writer.u53(message.round);
      writer.u53(message.rejectedIndex);
      writer.u53(message.hintIndex);
      return writer.u53(message.hintTerm);
    case 'timeoutNow':
      return;
    case 'installSnapshot':
      writer.string(message.transferId);
      return writeSnapshotMeta(writer, message.snapshot);
    default:
      return unreachable(message);
  }
}

/** The bytes that went to the leader's disk, as they are, one batch behind the other. */
function writeBatches(writer: ByteWriter, batches: readonly EntryBatch[]): void {
  writer.u32(batches.length);
  for (const batch of batches) writer.batch(batch);
}

/** Ends with the configuration, in the form that it has in the log. */
function writeSnapshotMeta(
  writer: ByteWriter,
  { index, term, logTimeMs, configuration }: SnapshotMeta,
): void {
  writer.u53(index);
  writer.u53(term);
  writer.u53(logTimeMs);
  writer.u53(configuration.index);
  writer.raw(encodeConfiguration(configuration.configuration));
}

/** Reads what {@link writeRaft} wrote, behind its type. */
export function readRaft(
  reader: ByteReader,
  { type, checksum }: { type: number; checksum: Crc32 },
): RaftFrame | undefined {
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
      return {
        type: 'requestVote',
        term,
        isTransfer: reader.bool(),
        lastLogIndex: readIndex(reader),
        lastLogTerm: readTerm(reader),
      };
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
        isReplyDue: reader.bool(),
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
    case frameType.timeoutNow:
      return { type: 'timeoutNow', term };
    case frameType.installSnapshot:
      return readInstallSnapshot(reader, term);
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

function readInstallSnapshot(reader: ByteReader, term: Term): Message | undefined {
  const transferId = readTransferId(reader);
  const index = readIndex(reader);
  const lastTerm = readTerm(reader);
  const logTimeMs = reader.u53();
  const configuredAt = readIndex(reader);
  const configuration = readConfiguration(reader);
  if (configuration === undefined) return undefined;
  const snapshot: SnapshotMeta = {
    index,
    term: lastTerm,
    logTimeMs,
    configuration: { index: configuredAt, configuration },
  };
  if (!isCoherent(snapshot, term)) reader.fail('outOfRange', 'no log can say that of a snapshot');
  return { type: 'installSnapshot', term, transferId, snapshot };
}

/** A snapshot covers a first entry at least, is not of the future, and its configuration lies within it. */
function isCoherent({ index, term, configuration }: SnapshotMeta, senderTerm: Term): boolean {
  return index >= 1 && term >= 1 && term <= senderTerm && configuration.index <= index;
}

function readConfiguration(reader: ByteReader): SnapshotMeta['configuration']['configuration'] | undefined {
  const payload = reader.raw(reader.remaining);
  const configuration = isPayload(payload, 1) ? decodeConfiguration(payload) : undefined;
  if (configuration === undefined)
    reader.fail('badConfiguration', `${payload.byteLength} bytes are not a configuration`);
  return configuration;
}

function readTerm(reader: ByteReader): Term {
  return reader.u53() as Term;
}

function readIndex(reader: ByteReader): Index {
  return reader.u53() as Index;
}
