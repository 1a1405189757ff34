import { type Crc32, crc32, encodedBytesOf, unreachable } from '../core/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readForward, writeForward } from './forward-codec.ts';
import { readForwardReply, writeForwardReply } from './forward-reply-codec.ts';
import { frameType } from './frame-type.ts';
import { membersMax, readNodeId, readOpaqueId, readUrl } from './handshake-codec.ts';
import { readRaft, writeRaft } from './raft-codec.ts';
import {
  readSnapshotAck,
  readSnapshotChunk,
  readSnapshotOffer,
  writeSnapshotAck,
  writeSnapshotChunk,
  writeSnapshotOffer,
} from './snapshot-codec.ts';
import type { FoundFrame, PeerFrame } from './transport.ts';

/**
 * Whether a frame carries entries to a follower, or the results of its writes: what a full buffer drops first, since
 * Raft sends entries again, and the leader results.
 */
export function isBulk(frame: PeerFrame): boolean {
  if (frame.type === 'forwardReply') return frame.reply.type === 'committed';
  return frame.type === 'raft' && frame.message.type === 'appendEntries' && frame.message.batches.length > 0;
}

/**
 * How many bytes of something large a frame brings, of a snapshot or of results; `null` for any other frame. Such a piece has
 * room only while little waits, so that nothing else waits for long behind it. Refused, it is sent again: that is no loss.
 */
export function pieceBytes(frame: PeerFrame): number | null {
  if (frame.type === 'snapshotChunk') return frame.bytes.length;
  if (frame.type !== 'forwardReply' || frame.reply.type !== 'results') return null;
  return frame.reply.bytes.length || null; // None announces the others: small, and wanted at once.
}

/** Whether a frame is a piece of something large: see `pieceBytes`. */
export function isPiece(frame: PeerFrame): boolean {
  return pieceBytes(frame) !== null;
}

/** For whose company a frame waits: nobody's, that of this event-loop turn, of the next one too, or of the next milliseconds. */
export type Patience = 'none' | 'turn' | 'nextTurn' | 'moment';

/** Entries of so many bytes leave before our own disk is asked to write them. */
const atOnceBytesMax = 16 * 1024;

/**
 * How long a frame waits for others to the same peer (docs/decisions/0030). Entries are a batch already, and followers'
 * disks wait for them; where they are many, to send them takes longer than to hand them to our own disk, which comes first
 * then. A leader's news, which have none, are mostly said again by the entries that come next. Linearizable
 * reads wait for a round; what else such a frame may be, a commit index, a heartbeat or a probe, can be a little late.
 *
 * @param round - the last round that the peer was told of.
 */
export function patienceOf(frame: PeerFrame, round: number): Patience {
  if (frame.type !== 'raft' || frame.message.type !== 'appendEntries') return 'turn';
  const { message } = frame;
  if (message.batches.length > 0) return encodedBytesOf(message.batches) <= atOnceBytesMax ? 'none' : 'turn';
  return message.round === round ? 'moment' : 'nextTurn';
}

/**
 * Whether the next frame to the same peer says all that `earlier` says, and is answered as soon: both are AppendEntries
 * of one term, and the earlier has no entries. Entries are answered once they are flushed, so a heartbeat is not dropped for
 * them: under load a leader would hear of nobody while disks are slow. To drop a frame is to lose a message that is sent again.
 */
export function supersedes(next: PeerFrame, earlier: PeerFrame): boolean {
  if (next.type !== 'raft' || earlier.type !== 'raft' || next.group !== earlier.group) return false;
  if (next.message.type !== 'appendEntries' || earlier.message.type !== 'appendEntries') return false;
  const [newer, older] = [next.message, earlier.message];
  return (
    older.batches.length === 0 &&
    newer.term === older.term &&
    newer.prevLogIndex >= older.prevLogIndex &&
    newer.leaderCommit >= older.leaderCommit &&
    newer.round >= older.round &&
    (!older.isReplyDue || (newer.isReplyDue && newer.batches.length === 0))
  );
}

/** Writes one frame. */
export function writeFrame(writer: ByteWriter, frame: PeerFrame): void {
  switch (frame.type) {
    case 'raft':
      return writeRaft(writer, frame);
    case 'forward':
      return writeForward(writer, frame);
    case 'forwardReply':
      return writeForwardReply(writer, frame);
    case 'snapshotOffer':
      return writeSnapshotOffer(writer, frame);
    case 'snapshotChunk':
      return writeSnapshotChunk(writer, frame);
    case 'snapshotAck':
      return writeSnapshotAck(writer, frame);
    case 'found':
      return writeFound(writer, frame);
    case 'foundAck':
      writer.u8(frameType.foundAck);
      return writer.string(frame.clusterId);
    default:
      return unreachable(frame);
  }
}

function writeFound(writer: ByteWriter, { clusterId, voters }: FoundFrame): void {
  writer.u8(frameType.found);
  writer.string(clusterId);
  writer.u16(voters.length);
  for (const voter of voters) {
    writer.string(voter.id);
    writer.string(voter.storeId);
    writer.string(voter.url);
  }
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
    case frameType.snapshotOffer:
      return readSnapshotOffer(reader);
    case frameType.snapshotChunk:
      return readSnapshotChunk(reader, checksum);
    case frameType.snapshotAck:
      return readSnapshotAck(reader);
    case frameType.forwardWrite:
    case frameType.forwardReadIndex:
    case frameType.forwardChangeMembers:
    case frameType.forwardTransferLeadership:
      return readForward(reader, { type, checksum });
    case frameType.replyCommitted:
    case frameType.replyResults:
    case frameType.replyReadIndex:
    case frameType.replyDone:
    case frameType.replyNotCommitted:
    case frameType.replyUnknown:
      return readForwardReply(reader, type);
    default:
      return readRaft(reader, { type, checksum });
  }
}

function readVoters(reader: ByteReader): FoundFrame['voters'] {
  const count = reader.count(reader.u16(), { countMax: membersMax, itemBytesMin: 6 });
  const voters: FoundFrame['voters'][number][] = [];
  for (let place = 0; place < count; place++) {
    voters.push({ id: readNodeId(reader), storeId: readOpaqueId(reader), url: readUrl(reader) });
  }
  return voters;
}
