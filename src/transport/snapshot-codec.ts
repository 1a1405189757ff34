import type { Crc32 } from '../core/index.ts';
import { type ByteReader, detached } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { frameType } from './frame-type.ts';
import { readTransferId } from './handshake-codec.ts';
import {
  type SnapshotAckFrame,
  type SnapshotChunkFrame,
  type SnapshotOfferFrame,
  snapshotChunkBytesMax,
} from './transport.ts';

/** In the order of their byte. */
const statuses: readonly SnapshotAckFrame['status'][] = ['receiving', 'complete', 'refused', 'malformed'];

/** Writes the offer of a snapshot. */
export function writeSnapshotOffer(
  writer: ByteWriter,
  { group, transferId, index }: SnapshotOfferFrame,
): void {
  writer.u8(frameType.snapshotOffer);
  writer.u32(group);
  writer.string(transferId);
  writer.u53(index);
}

/** Writes a piece of a snapshot. Its bytes are copied here, and nowhere else on their way to the socket. */
export function writeSnapshotChunk(writer: ByteWriter, chunk: SnapshotChunkFrame): void {
  writer.u8(frameType.snapshotChunk);
  writer.u32(chunk.group);
  writer.string(chunk.transferId);
  writer.u53(chunk.number);
  writer.bool(chunk.isLast);
  writer.u32(chunk.checksum);
  writer.bytes(chunk.bytes);
}

/** Writes what the receiver of a snapshot has. */
export function writeSnapshotAck(writer: ByteWriter, ack: SnapshotAckFrame): void {
  writer.u8(frameType.snapshotAck);
  writer.u32(ack.group);
  writer.string(ack.transferId);
  writer.u53(ack.nextChunk);
  writer.u8(statuses.indexOf(ack.status));
}

/** Reads what {@link writeSnapshotOffer} wrote, behind its type. */
export function readSnapshotOffer(reader: ByteReader): SnapshotOfferFrame {
  const group = reader.u32();
  const transferId = readTransferId(reader);
  const index = reader.u53();
  if (index < 1) reader.fail('outOfRange', 'a snapshot covers one entry at least');
  return { type: 'snapshotOffer', group, transferId, index };
}

/** Reads what {@link writeSnapshotChunk} wrote. The bytes stay in the message unless they would pin far more. */
export function readSnapshotChunk(reader: ByteReader, checksum: Crc32): SnapshotChunkFrame {
  const group = reader.u32();
  const transferId = readTransferId(reader);
  const number = reader.u53();
  const isLast = reader.bool();
  const announced = reader.u32();
  const view = reader.bytes();
  const { byteLength } = view;
  if (byteLength < (isLast ? 0 : 1) || byteLength > snapshotChunkBytesMax)
    reader.fail('badChunk', `chunk ${number} has ${byteLength} bytes`);
  else if (checksum(view) !== announced) reader.fail('badChunk', `the checksum of chunk ${number} is wrong`);
  const bytes = reader.error === null ? detached(view) : view;
  return { type: 'snapshotChunk', group, transferId, number, isLast, bytes, checksum: announced };
}

/** Reads what {@link writeSnapshotAck} wrote, behind its type. */
export function readSnapshotAck(reader: ByteReader): SnapshotAckFrame {
  const group = reader.u32();
  const transferId = readTransferId(reader);
  const nextChunk = reader.u53();
  const status = statuses[reader.u8()];
  if (status === undefined) reader.fail('outOfRange', 'the status of a transfer is unknown');
  return { type: 'snapshotAck', group, transferId, nextChunk, status: status ?? 'receiving' };
}
