import {
  type Crc32,
  decodeBatch,
  decodeConfiguration,
  type EntryBatch,
  encodeConfiguration,
  type GroupId,
  type Index,
  isPayload,
  type Message,
  type SnapshotMeta,
  type Term,
  unreachable,
} from '../core/index.ts';
import { type ByteReader, detached } from './byte-reader.ts';
import type { ByteSink } from './byte-writer.ts';
import { frameType } from './frame-type.ts';
import { readTransferId } from './handshake-codec.ts';
import type { RaftFrame } from './transport.ts';

/** The bytes of the smallest batch: a header and one empty entry. */
const batchBytesMin = 52;

/** Writes a message between cores. */
export function writeRaft(sink: ByteSink, { group, message }: RaftFrame): void {
  sink.u8(frameType[message.type]);
  sink.u32(group);
  sink.u53(message.term);
  switch (message.type) {
    case 'requestVote':
      sink.bool(message.isTransfer);
      sink.u53(message.lastLogIndex);
      return sink.u53(message.lastLogTerm);
    case 'preVote':
      sink.u53(message.lastLogIndex);
      return sink.u53(message.lastLogTerm);
    case 'preVoteReply':
    case 'requestVoteReply':
      return sink.bool(message.voteGranted);
    case 'appendEntries':
      sink.u53(message.prevLogIndex);
      sink.u53(message.prevLogTerm);
      sink.u53(message.leaderCommit);
      sink.u53(message.round);
      sink.bool(message.isReplyDue);
      return writeBatches(sink, message.batches);
    case 'appendEntriesReply':
      sink.bool(message.success);
      sink.u53(message.matchIndex);
      sink.u53(message.round);
      sink.u53(message.rejectedIndex);
      sink.u53(message.hintIndex);
      return sink.u53(message.hintTerm);
    case 'timeoutNow':
      return;
    case 'installSnapshot':
      sink.string(message.transferId);
      return writeSnapshotMeta(sink, message.snapshot);
    default:
      return unreachable(message);
  }
}

/** The bytes that went to the leader's disk, as they are, one batch behind the other. */
function writeBatches(sink: ByteSink, batches: readonly EntryBatch[]): void {
  sink.u32(batches.length);
  for (const batch of batches) sink.batch(batch);
}

/** Ends with the configuration, in the form that it has in the log. */
function writeSnapshotMeta(sink: ByteSink, { index, term, logTimeMs, configuration }: SnapshotMeta): void {
  sink.u53(index);
  sink.u53(term);
  sink.u53(logTimeMs);
  sink.u53(configuration.index);
  sink.raw(encodeConfiguration(configuration.configuration));
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
