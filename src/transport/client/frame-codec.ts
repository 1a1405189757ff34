import { isPayload, unreachable } from '../../core/index.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { ByteWriter } from '../byte-writer.ts';
import { brief, readNodeId, readOptional, readUrl, textBytesMax, writeOptional } from '../handshake-codec.ts';
import {
  type AnsweredFrame,
  type ClientFrame,
  type Consistency,
  clientFrameType,
  type ReadFrame,
  type RefusedFrame,
  requestsPerFrameMax,
  type StandingFrame,
  type WriteFrame,
  type WrittenFrame,
} from './protocol.ts';

const consistencies: readonly Consistency[] = ['linearizable', 'session', 'stale'];
const codeBytesMax = 256;

/** Writes one frame. Payloads come last, and have no length of their own. */
export function writeClientFrame(writer: ByteWriter, frame: ClientFrame): void {
  writer.u8(clientFrameType[frame.type]);
  switch (frame.type) {
    case 'write':
      writer.u53(frame.firstId);
      writer.u32(frame.timeoutMs);
      writer.u32(frame.count);
      return writer.raw(frame.payload);
    case 'read':
      writer.u53(frame.firstId);
      writer.u32(frame.timeoutMs);
      writer.u8(consistencies.indexOf(frame.consistency));
      writer.u53(frame.index);
      writer.u32(frame.count);
      return writer.raw(frame.payload);
    case 'written':
      writer.u53(frame.firstId);
      writer.u53(frame.index);
      writer.u53(frame.term);
      writer.u32(frame.count);
      return writer.raw(frame.payload);
    case 'answered':
      return writeAnswered(writer, frame);
    case 'refused':
      return writeRefused(writer, frame);
    case 'standing':
      writer.bool(frame.isClosing);
      writeOptional(writer, frame.leaderId);
      return writeOptional(writer, frame.leaderUrl);
    case 'ping':
    case 'pong':
      return writer.u32(frame.number);
    default:
      return unreachable(frame);
  }
}

function writeAnswered(writer: ByteWriter, { index, ageMs, ids, payload }: AnsweredFrame): void {
  writer.u53(index);
  writer.bool(ageMs !== null);
  if (ageMs !== null) writer.u53(ageMs);
  writer.u32(ids.length);
  for (const id of ids) writer.u53(id);
  writer.raw(payload);
}

function writeRefused(writer: ByteWriter, frame: RefusedFrame): void {
  writer.u53(frame.firstId);
  writer.u32(frame.count);
  writer.bool(frame.outcome === 'unknown');
  writer.string(brief(frame.code, codeBytesMax));
  writer.string(brief(frame.message, textBytesMax));
  writeOptional(writer, frame.leaderId);
}

/** Reads one frame, up to the end of the reader's limit. What a payload says is for its codec to check. */
export function readClientFrame(reader: ByteReader): ClientFrame | undefined {
  const type = reader.u8();
  switch (type) {
    case clientFrameType.write:
      return readWrite(reader);
    case clientFrameType.read:
      return readRead(reader);
    case clientFrameType.written:
      return readWritten(reader);
    case clientFrameType.answered:
      return readAnswered(reader);
    case clientFrameType.refused:
      return readRefused(reader);
    case clientFrameType.standing:
      return readStanding(reader);
    case clientFrameType.ping:
      return { type: 'ping', number: reader.u32() };
    case clientFrameType.pong:
      return { type: 'pong', number: reader.u32() };
    default:
      reader.fail('unknownType', `frames of type ${type} are unknown`);
      return undefined;
  }
}

function readWrite(reader: ByteReader): WriteFrame {
  const firstId = reader.u53();
  const timeoutMs = reader.u32();
  const count = readItemCount(reader, firstId);
  return { type: 'write', firstId, timeoutMs, count, payload: readPayload(reader, count) };
}

function readRead(reader: ByteReader): ReadFrame {
  const firstId = reader.u53();
  const timeoutMs = reader.u32();
  const consistency = consistencies[reader.u8()];
  if (consistency === undefined) reader.fail('outOfRange', 'the consistency of a read is unknown');
  const index = reader.u53();
  const count = readItemCount(reader, firstId);
  const payload = readPayload(reader, count);
  return { type: 'read', firstId, timeoutMs, consistency: consistency ?? 'stale', index, count, payload };
}

function readWritten(reader: ByteReader): WrittenFrame {
  const firstId = reader.u53();
  const index = reader.u53();
  const term = reader.u53();
  const count = readItemCount(reader, firstId);
  return { type: 'written', firstId, index, term, count, payload: readPayload(reader, count) };
}

function readAnswered(reader: ByteReader): AnsweredFrame {
  const index = reader.u53();
  const ageMs = readOptional(reader, (from) => from.u53());
  const count = readCount(reader, 12);
  const ids: number[] = [];
  while (ids.length < count) ids.push(reader.u53());
  return { type: 'answered', index, ageMs, ids, payload: readPayload(reader, count) };
}

function readRefused(reader: ByteReader): RefusedFrame {
  const firstId = reader.u53();
  const count = reader.u32(); // As many as the frame that is refused had; the items themselves do not come back.
  if (count < 1 || count > requestsPerFrameMax) reader.fail('tooMany', `a refusal is of ${count} requests`);
  checkIds(reader, firstId, count);
  return {
    type: 'refused',
    firstId,
    count,
    outcome: reader.bool() ? 'unknown' : 'notCommitted',
    code: reader.text(codeBytesMax),
    message: reader.text(textBytesMax),
    leaderId: readOptional(reader, readNodeId),
  };
}

function readStanding(reader: ByteReader): StandingFrame {
  const isClosing = reader.bool();
  const leaderId = readOptional(reader, readNodeId);
  return { type: 'standing', isClosing, leaderId, leaderUrl: readOptional(reader, readUrl) };
}

/** At least one item, each with a number that can be told. */
function readItemCount(reader: ByteReader, firstId: number): number {
  const count = readCount(reader, 4);
  checkIds(reader, firstId, count);
  return count;
}

function readCount(reader: ByteReader, itemBytesMin: number): number {
  const count = reader.count(reader.u32(), { countMax: requestsPerFrameMax, itemBytesMin });
  if (count === 0) reader.fail('outOfRange', 'a frame is about nothing');
  return count;
}

function checkIds(reader: ByteReader, firstId: number, count: number): void {
  if (!Number.isSafeInteger(firstId + count)) reader.fail('outOfRange', 'the id of a request is too large');
}

function readPayload(reader: ByteReader, count: number): Uint8Array {
  const payload = reader.raw(reader.remaining);
  if (reader.error === null && !isPayload(payload, count))
    reader.fail('badPayload', `${payload.byteLength} bytes are not ${count} items`);
  return payload;
}
