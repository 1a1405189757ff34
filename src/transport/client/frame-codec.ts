import { isPayload, unreachable } from '../../core/index.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { ByteSink } from '../byte-writer.ts';
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
export function writeClientFrame(sink: ByteSink, frame: ClientFrame): void {
  sink.u8(clientFrameType[frame.type]);
  switch (frame.type) {
    case 'write':
      sink.u53(frame.firstId);
      sink.u32(frame.timeoutMs);
      sink.u32(frame.count);
      return sink.raw(frame.payload);
    case 'read':
      sink.u53(frame.firstId);
      sink.u32(frame.timeoutMs);
      sink.u8(consistencies.indexOf(frame.consistency));
      sink.u53(frame.index);
      sink.u32(frame.count);
      return sink.raw(frame.payload);
    case 'written':
      sink.u53(frame.firstId);
      sink.u53(frame.index);
      sink.u53(frame.term);
      sink.u32(frame.count);
      return sink.raw(frame.payload);
    case 'answered':
      return writeAnswered(sink, frame);
    case 'refused':
      return writeRefused(sink, frame);
    case 'standing':
      sink.bool(frame.isClosing);
      writeOptional(sink, frame.leaderId);
      return writeOptional(sink, frame.leaderUrl);
    case 'ping':
    case 'pong':
      return sink.u32(frame.number);
    default:
      return unreachable(frame);
  }
}

function writeAnswered(sink: ByteSink, { index, ageMs, ids, payload }: AnsweredFrame): void {
  sink.u53(index);
  sink.bool(ageMs !== null);
  if (ageMs !== null) sink.u53(ageMs);
  sink.u32(ids.length);
  for (const id of ids) sink.u53(id);
  sink.raw(payload);
}

function writeRefused(sink: ByteSink, frame: RefusedFrame): void {
  sink.u53(frame.firstId);
  sink.u32(frame.count);
  sink.bool(frame.outcome === 'unknown');
  sink.string(brief(frame.code, codeBytesMax));
  sink.string(brief(frame.message, textBytesMax));
  writeOptional(sink, frame.leaderId);
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
  return { type: 'write', firstId, timeoutMs, ...readItems(reader, firstId) };
}

function readRead(reader: ByteReader): ReadFrame {
  const firstId = reader.u53();
  const timeoutMs = reader.u32();
  const consistency = consistencies[reader.u8()];
  if (consistency === undefined) reader.fail('outOfRange', 'the consistency of a read is unknown');
  const index = reader.u53();
  const items = readItems(reader, firstId);
  return { type: 'read', firstId, timeoutMs, consistency: consistency ?? 'stale', index, ...items };
}

function readWritten(reader: ByteReader): WrittenFrame {
  const firstId = reader.u53();
  const index = reader.u53();
  const term = reader.u53();
  return { type: 'written', firstId, index, term, ...readItems(reader, firstId) };
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
function readItems(reader: ByteReader, firstId: number): { count: number; payload: Uint8Array } {
  const count = readCount(reader, 4);
  checkIds(reader, firstId, count);
  return { count, payload: readPayload(reader, count) };
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
